-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number
select p.id, p.public_id, p.status, p.email_verified_at, p.locale,
	(select string_agg(r.role, ' ' order by r.role) from person_role r where r.tenant_id = $1 and r.person_id = p.id) as roles,
	(select t.second_factor from tenant t where t.id = $1) as second_factor,
	(select string_agg(c.permissions, ' ') from person_role r join role c on c.tenant_id = $1 and c.name = r.role
		where r.tenant_id = $1 and r.person_id = p.id) as permissions,
	exists (select from role_grant r where r.tenant_id = $1 and r.status = 'active' and r.person_id = $2)
		or exists (select from person_group_member m join role_grant r on r.tenant_id = $1 and r.group_id = m.group_id and r.status = 'active'
			where m.tenant_id = $1 and m.person_id = $2) as has_grants,
	(select t.factor_roles from tenant t where t.id = $1) as factor_roles
from person p
where p.tenant_id = $1 and p.id = $2
