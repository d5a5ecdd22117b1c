-- $1 tenants, $2 subjects, side by side; one by one as in person_keys_get
select u.i, k.epoch, k.wrapped
from unnest($1::uuid[], $2::uuid[]) with ordinality as u (tenant_id, subject_id, i)
cross join lateral (
	select k.epoch, k.wrapped from person_keys k where k.tenant_id = u.tenant_id and k.subject_id = u.subject_id offset 0) as k
