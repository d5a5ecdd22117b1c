-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 people. Holds off their erasure until the commit; one after the other, sorted.
select p.no
from (select distinct x.id from unnest($2::uuid[]) as x (id) order by x.id) as u
cross join lateral (select p.no from person p where p.tenant_id = $1 and p.id = u.id for key share) as p
