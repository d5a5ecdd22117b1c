-- $1 tenants, $2 subjects, $3 wrapped keys, $4 their epoch
update person_keys k
set wrapped = u.wrapped, epoch = $4
from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as u (tenant_id, subject_id, wrapped)
where k.tenant_id = u.tenant_id and k.subject_id = u.subject_id and k.wrapped is not null
