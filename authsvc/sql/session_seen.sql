-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 now. What is handed on of the session is what it is worth once this has its row:
-- the factor that proved it may have been removed since it was read.
update session
set seen_at = $3
where tenant_id = $1 and id = $2 and ended_at is null
returning acr, amr, factor_id
