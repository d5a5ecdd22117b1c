-- $1 tenant, $2 person
delete from idempotency where tenant_id = $1 and person_id = $2
