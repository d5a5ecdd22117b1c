-- SPDX-License-Identifier: Apache-2.0
-- $1 appended before, $2 at most so many
with old as (
	select tenant_id, leaf_index from content where appended_at < $1 order by appended_at limit $2
)
delete from content c using old where c.tenant_id = old.tenant_id and c.leaf_index = old.leaf_index
