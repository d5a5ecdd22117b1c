-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id
select s.no, a.no, s.id, a.id, s.name, s.accessible, s.charger, s.status, s.version
from spot s
join area a on a.tenant_id = s.tenant_id and a.no = s.area_no
where s.tenant_id = $1 and s.id = $2
for no key update of s
