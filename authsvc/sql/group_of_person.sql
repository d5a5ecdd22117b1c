-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person
select g.public_id, g.name
from person_group_member m
join person_group g on g.tenant_id = $1 and g.id = m.group_id
where m.tenant_id = $1 and m.person_id = $2
order by g.public_id
