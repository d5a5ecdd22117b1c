-- A column of each field, the tenants first. seq follows the order given.
insert into outbox (tenant_id, id, at, actor_id, on_behalf_id, subject_id, object_id, action, object_type, object_version,
	request_id, payload, erased, client_id)
select u.tenant_id, u.id, u.at, u.actor_id, u.on_behalf_id, u.subject_id, u.object_id, u.action, u.object_type, u.object_version,
	u.request_id, u.payload, u.erased, u.client_id
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
	$10::bigint[], $11::uuid[], $12::bytea[], $13::boolean[], $14::uuid[]) with ordinality
	as u (tenant_id, id, at, actor_id, on_behalf_id, subject_id, object_id, action, object_type, object_version, request_id, payload,
	erased, client_id, i)
order by u.i
