-- $1 behind this seq, $2 how many
select seq, id, tenant_id, at, actor_id, on_behalf_id, subject_id, object_id, action, object_type, object_version, request_id,
	payload, erased, client_id
from outbox
where seq > $1
order by seq
limit $2
