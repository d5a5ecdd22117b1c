-- SPDX-License-Identifier: Apache-2.0
-- As event_list, between two instants and in the order of time; $8 below this instant (with $2), $9 from or null
select e.leaf_index, e.leaf_hash, e.id, e.at, e.service, e.action, e.object_type, e.object_id, e.object_version, e.actor_id,
	e.client_id, e.on_behalf_id, e.subject_id, e.request_id, e.before_digest, e.after_digest, e.erased, c.before, c.after
from (
	select * from event
	where tenant_id = $1 and (at, leaf_index) < ($8, $2) and ($9 is null or at >= $9)
		and ($4 is null or actor_id = $4) and ($5 is null or object_id = $5)
		and ($6 is null or object_type = $6) and ($7 is null or action = $7)
	order by at desc, leaf_index desc
	limit $3
) e
left join content c on c.tenant_id = $1 and c.leaf_index = e.leaf_index
order by e.at desc, e.leaf_index desc
