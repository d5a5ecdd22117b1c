-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 factor that is no more
update authorization_code
set acr = '1fa', amr = 'pwd', factor_id = null
where tenant_id = $1 and person_id = $2 and used_at is null and acr <> '1fa' and amr like 'pwd%' and (factor_id is null or factor_id = $3)
