-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 group, $3 now, $4 limit. What is granted to others for the people of the group, or asked for.
select r.role, c.permissions
from role_grant r
left join role c on c.tenant_id = $1 and c.name = r.role
where r.tenant_id = $1 and r.scope_id = $2 and r.scope = 'group' and r.status in ('pending', 'active') and (r.over_at is null or r.over_at > $3)
	and (r.status = 'active' or r.created_at > $3 - interval '7 days')
order by r.id
limit $4
