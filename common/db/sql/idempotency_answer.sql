-- $1 tenant, $2 people, $3 operations, $4 key hashes, $5 statuses, $6 replies
update idempotency c
set status = u.status, reply = u.reply
from unnest($2::uuid[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[])
	as u (person_id, operation, key_hash, status, reply)
where c.tenant_id = $1 and c.person_id = u.person_id and c.operation = u.operation::integer and c.key_hash = u.key_hash
