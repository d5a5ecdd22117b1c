-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 device grant, $3 now, $4 internal number of the person, or null: refused, $5 authenticated at, $6 acr, $7 amr, $8 factor.
-- Of two who decide, one gets the row.
update device_grant
set decided_at = $3, person_id = $4, auth_at = $5, acr = $6, amr = $7, factor_id = $8
where tenant_id = $1 and public_id = $2 and decided_at is null and expires_at > $3
returning id
