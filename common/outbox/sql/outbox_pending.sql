-- $1 tenant, $2 subject
select count(*) from outbox where tenant_id = $1 and subject_id = $2
