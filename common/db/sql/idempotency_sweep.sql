-- $1 older than, $2 how many
delete from idempotency
where ctid = any (array(select ctid from idempotency where created_at < $1 order by created_at limit $2))
