-- $1 tenant, $2 person, $3 operation, $4 key hash. One at a time: few of a batch are refused, and a delete that joins them has no plan to rely on.
delete from idempotency where tenant_id = $1 and person_id = $2 and operation = $3 and key_hash = $4
