-- $1 tenants, $2 subjects, side by side
select u.i, k.epoch, k.wrapped
from unnest($1::uuid[], $2::uuid[]) with ordinality as u (tenant_id, subject_id, i)
join person_keys k on k.tenant_id = u.tenant_id and k.subject_id = u.subject_id
