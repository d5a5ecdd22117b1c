-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 client_id, $3 now
update client
set deleted_at = $3, version = version + 1
where tenant_id = $1 and public_id = $2 and deleted_at is null
returning id
