-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 limit
select o.public_id, c.public_id, c.name, o.scope, o.created_at, o.changed_at
from consent o
join client c on c.tenant_id = $1 and c.id = o.client_id
where o.tenant_id = $1 and o.person_id = $2 and c.deleted_at is null
order by o.id
limit $3
