-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 status, $4 over at, $5 decided by
update role_grant
set status = $3, over_at = $4, decided_by = $5, version = version + 1
where tenant_id = $1 and id = $2
returning version
