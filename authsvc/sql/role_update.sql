-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 role, $3 help, $4 permissions, $5 now
update role
set help = $3, permissions = $4, version = version + 1, updated_at = $5
where tenant_id = $1 and public_id = $2
returning version
