-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 now, $4 reason, $5 internal number of the client
update grant_family
set revoked_at = $3, revoked_for = $4
where tenant_id = $1 and person_id = $2 and client_id = $5 and revoked_at is null
returning public_id
