-- $1 tenant, $2 subject: person_keys_get for one, which begins sooner
select 1::bigint, epoch, wrapped from person_keys where tenant_id = $1 and subject_id = $2
