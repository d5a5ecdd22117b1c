-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 now
update session
set seen_at = $3
where tenant_id = $1 and id = $2
