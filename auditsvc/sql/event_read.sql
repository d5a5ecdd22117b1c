-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 event
select e.leaf_index, e.leaf_hash, e.id, e.at, e.service, e.action, e.object_type, e.object_id, e.object_version, e.actor_id,
	e.client_id, e.on_behalf_id, e.subject_id, e.request_id, e.before_digest, e.after_digest, e.erased, c.before, c.after
from event e
left join content c on c.tenant_id = $1 and c.leaf_index = e.leaf_index
where e.tenant_id = $1 and e.id = $2
