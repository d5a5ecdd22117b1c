-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 now, $4 limit, $5 over after. What the person holds now, by themselves and by groups.
select r.scope, r.scope_id, r.role, c.permissions, r.over_at
from role_grant r
left join role c on c.tenant_id = $1 and c.name = r.role
where r.tenant_id = $1 and r.status = 'active' and r.starts_at <= $3 and (r.over_at is null or r.over_at > $5)
	and r.id in (
		select o.id from role_grant o where o.tenant_id = $1 and o.person_id = $2
		union all
		select g.id from person_group_member m join role_grant g on g.tenant_id = $1 and g.group_id = m.group_id
		where m.tenant_id = $1 and m.person_id = $2)
order by r.id
limit $4
