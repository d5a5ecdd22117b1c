-- $1 tenant, $2 people, $3 operations, $4 key hashes, $5 body hashes, $6 statuses, $7 replies, $8 now. All are claimed by this transaction, so each
-- row conflicts and is found by the key. An update that joins them has a plan, and read all keys of a tenant where the planner took tenants
-- to be small.
insert into idempotency (tenant_id, person_id, operation, key_hash, body_hash, created_at, status, reply)
select $1, u.person_id, u.operation, u.key_hash, u.body_hash, $8, u.status, u.reply
from unnest($2::uuid[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bigint[], $7::bytea[])
	as u (person_id, operation, key_hash, body_hash, status, reply)
on conflict (tenant_id, person_id, operation, key_hash) do update
set status = excluded.status, reply = excluded.reply
