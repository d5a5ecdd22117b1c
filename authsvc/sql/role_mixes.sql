-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 name of a role, $3 limit. What else those have who have it, each mix once.
select mix.roles, mix.permissions, count(*) as people
from (
	select coalesce(string_agg(o.role, ' ' order by o.role), '') as roles,
		coalesce(string_agg(c.permissions, ' ' order by o.role), '') as permissions
	from person_role r
	join person p on p.tenant_id = $1 and p.id = r.person_id and p.status <> 'erased'
	left join person_role o on o.tenant_id = $1 and o.person_id = r.person_id and o.role <> $2
	left join role c on c.tenant_id = $1 and c.name = o.role
	where r.tenant_id = $1 and r.role = $2
	group by r.person_id
) as mix
group by mix.roles, mix.permissions
order by mix.roles
limit $3
