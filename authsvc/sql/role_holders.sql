-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 name of a role, $3 limit. By themselves, by a grant or by a group's.
select p.public_id
from person p
where p.tenant_id = $1 and p.status <> 'erased' and p.id in (
	select r.person_id from person_role r where r.tenant_id = $1 and r.role = $2
	union
	select g.person_id from role_grant g where g.tenant_id = $1 and g.role = $2 and g.status = 'active' and g.person_id is not null
	union
	select m.person_id from role_grant g join person_group_member m on m.tenant_id = $1 and m.group_id = g.group_id
	where g.tenant_id = $1 and g.role = $2 and g.status = 'active')
limit $3
