-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 name of a role, $3 limit. By themselves, by a grant or by a group's. Each person is looked up (offset 0), since
-- there may be many who have nothing to do with the role.
select p.public_id
from (
	select r.person_id from person_role r where r.tenant_id = $1 and r.role = $2
	union
	select g.person_id from role_grant g where g.tenant_id = $1 and g.role = $2 and g.status = 'active' and g.person_id is not null
	union
	select m.person_id from role_grant g join person_group_member m on m.tenant_id = $1 and m.group_id = g.group_id
	where g.tenant_id = $1 and g.role = $2 and g.status = 'active') as holder
cross join lateral (
	select o.public_id from person o where o.tenant_id = $1 and o.id = holder.person_id and o.status <> 'erased' offset 0) as p
limit $3
