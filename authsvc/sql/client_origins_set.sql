-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 client_id, $3 allowed origins
update client
set allowed_origins = $3
where tenant_id = $1 and public_id = $2 and deleted_at is null
returning id
