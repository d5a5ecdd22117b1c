-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 factor that is no more, $4 now
update grant_family
set revoked_at = $4, revoked_for = 'factor_removed'
where tenant_id = $1 and person_id = $2 and revoked_at is null and (factor_id is null or factor_id = $3) and amr not like 'pwd%'
