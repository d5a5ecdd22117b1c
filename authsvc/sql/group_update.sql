-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 name, $4 now
update person_group
set name = $3, version = version + 1, updated_at = $4
where tenant_id = $1 and id = $2
returning version
