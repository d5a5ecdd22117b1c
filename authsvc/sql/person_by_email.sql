-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 blind index of the normalised address
select p.id, p.public_id, p.email, p.given_name, p.family_name, p.locale, p.status, p.email_verified_at, p.version, p.created_at,
	(select string_agg(r.role, ' ' order by r.role) from person_role r where r.tenant_id = $1 and r.person_id = p.id) as roles,
	(select string_agg(c.permissions, ' ') from person_role r join role c on c.tenant_id = $1 and c.name = r.role
		where r.tenant_id = $1 and r.person_id = p.id) as permissions
from person p
where p.tenant_id = $1 and p.email_index = $2
