-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the group
delete from role_grant
where tenant_id = $1 and group_id = $2
