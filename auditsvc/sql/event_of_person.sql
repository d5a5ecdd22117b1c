-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person, $3 below this leaf, $4 limit
select e.leaf_index, e.leaf_hash, e.id, e.at, e.service, e.action, e.object_type, e.object_id, e.object_version, e.actor_id,
	e.client_id, e.on_behalf_id, e.subject_id, e.request_id, e.before_digest, e.after_digest, e.erased, c.before, c.after
from (
	(select * from event where tenant_id = $1 and subject_id = $2 and leaf_index < $3 order by leaf_index desc limit $4)
	union
	(select * from event where tenant_id = $1 and actor_id = $2 and leaf_index < $3 order by leaf_index desc limit $4)
) e
left join content c on c.tenant_id = $1 and c.leaf_index = e.leaf_index
order by e.leaf_index desc
limit $4
