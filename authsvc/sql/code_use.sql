-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 internal number of the family, $4 now
update authorization_code
set used_at = $4, family_id = $3
where tenant_id = $1 and id = $2 and used_at is null
