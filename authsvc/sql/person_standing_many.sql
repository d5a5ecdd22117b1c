-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal numbers. As person_standing, a row for each; what the tenant says is read once. `offset` keeps the look-up of one
-- person whole: joined freely, the planner read all people of a tenant where tenants are small on average.
select p.id, p.public_id, p.status, p.email_verified_at, p.locale, r.roles,
	(select t.second_factor from tenant t where t.id = $1) as second_factor, r.permissions, p.has_grants,
	(select t.factor_roles from tenant t where t.id = $1) as factor_roles
from unnest($2::bigint[]) as u (id)
cross join lateral (
	select p.id, p.public_id, p.status, p.email_verified_at, p.locale,
		exists (select from role_grant r where r.tenant_id = $1 and r.status = 'active' and r.person_id = u.id)
			or exists (select from person_group_member m join role_grant r
				on r.tenant_id = $1 and r.group_id = m.group_id and r.status = 'active'
				where m.tenant_id = $1 and m.person_id = u.id) as has_grants
	from person p
	where p.tenant_id = $1 and p.id = u.id
	offset 0) as p
cross join lateral (
	select string_agg(r.role, ' ' order by r.role) as roles, string_agg(c.permissions, ' ') as permissions
	from person_role r
	left join role c on c.tenant_id = $1 and c.name = r.role
	where r.tenant_id = $1 and r.person_id = u.id) as r
