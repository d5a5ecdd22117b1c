-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 hash, $4 now. Two that show one code stand in line here.
update recovery_code
set used_at = $4
where tenant_id = $1 and person_id = $2 and code_hash = $3 and used_at is null
returning id
