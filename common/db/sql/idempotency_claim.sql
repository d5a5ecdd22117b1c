-- $1 tenant, $2 people, $3 operations, $4 key hashes, $5 body hashes, $6 now. In key order, so that two batches cannot wait for each
-- other crosswise; of two with one key the first of the batch wins.
insert into idempotency (tenant_id, person_id, operation, key_hash, body_hash, created_at)
select $1, u.person_id, u.operation, u.key_hash, u.body_hash, $6
from unnest($2::uuid[], $3::bigint[], $4::bytea[], $5::bytea[])
	with ordinality as u (person_id, operation, key_hash, body_hash, i)
order by u.person_id, u.operation, u.key_hash, u.i
on conflict do nothing
returning person_id, operation, key_hash
