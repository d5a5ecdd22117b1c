-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number
delete from person_group
where tenant_id = $1 and id = $2
