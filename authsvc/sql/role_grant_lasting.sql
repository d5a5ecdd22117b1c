-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 now, $4 limit, $5 no earlier end than this (null: no end). What the person holds everywhere, by
-- themselves and by groups, for that long.
select r.role, c.permissions
from role_grant r
left join role c on c.tenant_id = $1 and c.name = r.role
where r.tenant_id = $1 and r.status = 'active' and r.scope = 'tenant' and r.starts_at <= $3 and (r.over_at is null or r.over_at >= $5)
	and (r.person_id = $2 or r.group_id in (select m.group_id from person_group_member m where m.tenant_id = $1 and m.person_id = $2))
order by r.id
limit $4
