-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 handle hash, $3 now
select q.id, q.public_id, q.parameters, c.id, c.public_id, c.name, q.created_at, c.third_party, c.grants, c.vouched
from authorization_request q
left join client c on c.tenant_id = $1 and c.id = q.client_id and c.deleted_at is null
where q.tenant_id = $1 and q.handle_hash = $2 and q.expires_at > $3 and (q.client_id is null or c.id is not null)
