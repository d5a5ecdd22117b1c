-- $1 tenant, $2 people, $3 operations, $4 key hashes. Looked up one by one: `offset` keeps the look-up whole. Joined freely, the planner
-- read all keys of a tenant where it took tenants to be small. `operation` is not cast, which would keep it out of the index.
select u.i, c.body_hash, c.status, c.reply
from unnest($2::uuid[], $3::bigint[], $4::bytea[]) with ordinality as u (person_id, operation, key_hash, i)
cross join lateral (
	select c.body_hash, c.status, c.reply
	from idempotency c
	where c.tenant_id = $1 and c.person_id = u.person_id and c.operation = u.operation and c.key_hash = u.key_hash
	offset 0) as c
