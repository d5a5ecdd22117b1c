-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 hash of the user code, $3 now. One that nobody has decided about.
select d.public_id, d.client_id, d.scope
from device_grant d
join client c on c.tenant_id = $1 and c.id = d.client_id
where d.tenant_id = $1 and d.user_code_hash = $2 and d.expires_at > $3 and d.decided_at is null and c.deleted_at is null
