-- $1 what is safely with auditsvc
delete from outbox where seq = any ($1::bigint[])
