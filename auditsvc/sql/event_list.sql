-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 below this leaf, $3 limit, $4 actor, $5 object, $6 object type, $7 action; planned anew each time (plan_custom), so
-- that the filters not given vanish and those given choose the index
select e.leaf_index, e.leaf_hash, e.id, e.at, e.service, e.action, e.object_type, e.object_id, e.object_version, e.actor_id,
	e.client_id, e.on_behalf_id, e.subject_id, e.request_id, e.before_digest, e.after_digest, e.erased, c.before, c.after
from (
	select * from event
	where tenant_id = $1 and leaf_index < $2
		and ($4 is null or actor_id = $4) and ($5 is null or object_id = $5)
		and ($6 is null or object_type = $6) and ($7 is null or action = $7)
	order by leaf_index desc
	limit $3
) e
left join content c on c.tenant_id = $1 and c.leaf_index = e.leaf_index
order by e.leaf_index desc
