-- $1 tenant, $2 people, $3 operations, $4 key hashes
select u.i, c.body_hash, c.status, c.reply
from unnest($2::uuid[], $3::bigint[], $4::bytea[]) with ordinality as u (person_id, operation, key_hash, i)
join idempotency c on c.tenant_id = $1 and c.person_id = u.person_id and c.operation = u.operation::integer
	and c.key_hash = u.key_hash
