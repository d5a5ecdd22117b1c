-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person
delete from person_group_member
where tenant_id = $1 and person_id = $2
