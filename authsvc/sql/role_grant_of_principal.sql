-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person. Grants over somebody who is erased are of nobody.
delete from role_grant
where tenant_id = $1 and scope_id = $2 and scope = 'principal'
