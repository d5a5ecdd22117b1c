-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 people
select u.i, p.no
from unnest($2::uuid[]) with ordinality as u (id, i)
join person p on p.tenant_id = $1 and p.id = u.id
