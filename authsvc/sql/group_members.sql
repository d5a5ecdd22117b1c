-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the group
select p.public_id
from person_group_member m
join person p on p.tenant_id = $1 and p.id = m.person_id
where m.tenant_id = $1 and m.group_id = $2
order by p.public_id
