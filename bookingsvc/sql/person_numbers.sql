-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 people: a row for each that has one. Looked up one by one: `offset` keeps the look-up whole. With `= any` a generic plan read
-- all people of a tenant where tenants are small on average.
select u.id, p.no
from unnest($2::uuid[]) as u (id)
cross join lateral (select p.no from person p where p.tenant_id = $1 and p.id = u.id offset 0) as p
