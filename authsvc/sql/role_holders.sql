-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 name of a role, $3 limit
select p.public_id
from person_role r
join person p on p.tenant_id = $1 and p.id = r.person_id
where r.tenant_id = $1 and r.role = $2 and p.status <> 'erased'
limit $3
