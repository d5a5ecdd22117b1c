-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 limit
select f.public_id, c.public_id, f.scope, f.created_at, f.rotated_at, f.expires_at, f.revoked_at
from grant_family f
join client c on c.tenant_id = $1 and c.id = f.client_id
where f.tenant_id = $1 and f.person_id = $2
order by f.created_at desc
limit $3
