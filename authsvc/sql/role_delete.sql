-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 role
delete from role
where tenant_id = $1 and public_id = $2
