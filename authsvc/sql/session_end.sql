-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 now
update session
set ended_at = $3
where tenant_id = $1 and id = $2 and ended_at is null
