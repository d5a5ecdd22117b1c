-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 new handle hash, $4 now, $5 expires, $6 acr, $7 amr, $8 factor
update session
set handle_hash = $3, auth_at = $4, seen_at = $4, expires_at = $5, acr = $6, amr = $7, factor_id = $8
where tenant_id = $1 and id = $2 and ended_at is null
