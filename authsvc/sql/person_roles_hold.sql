-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person. Whoever changes one of the person's roles waits, or was waited for.
select c.public_id
from role c
where c.tenant_id = $1 and c.name in (
	select r.role from person_role r where r.tenant_id = $1 and r.person_id = $2
	union
	select g.role from role_grant g where g.tenant_id = $1 and g.person_id = $2
	union
	select g.role from person_group_member m join role_grant g on g.tenant_id = $1 and g.group_id = m.group_id
	where m.tenant_id = $1 and m.person_id = $2)
for key share
