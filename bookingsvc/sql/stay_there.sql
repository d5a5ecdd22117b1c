-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 ids; looked up one by one, as in person_numbers
select u.id
from unnest($2::uuid[]) as u (id)
cross join lateral (select from booking b where b.tenant_id = $1 and b.id = u.id offset 0) as b
