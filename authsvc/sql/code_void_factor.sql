-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 factor that is no more, $4 now
update authorization_code
set used_at = $4
where tenant_id = $1 and person_id = $2 and used_at is null and (factor_id is null or factor_id = $3) and amr not like 'pwd%'
