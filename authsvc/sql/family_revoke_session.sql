-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the session, $3 now, $4 reason
update grant_family
set revoked_at = $3, revoked_for = $4
where tenant_id = $1 and session_id = $2 and revoked_at is null
returning public_id
