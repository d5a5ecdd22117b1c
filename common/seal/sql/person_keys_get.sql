-- $1 tenant, $2 subjects. Looked up one by one: `offset` keeps the look-up whole. Joined freely, the planner read all keys of a tenant where
-- it took tenants to be small.
select u.i, k.epoch, k.wrapped
from unnest($2::uuid[]) with ordinality as u (subject_id, i)
cross join lateral (
	select k.epoch, k.wrapped from person_keys k where k.tenant_id = $1 and k.subject_id = u.subject_id offset 0) as k
