-- $1 tenant, $2 people, $3 operations, $4 key hashes
delete from idempotency c
using unnest($2::uuid[], $3::bigint[], $4::bytea[]) as u (person_id, operation, key_hash)
where c.tenant_id = $1 and c.person_id = u.person_id and c.operation = u.operation::integer and c.key_hash = u.key_hash
