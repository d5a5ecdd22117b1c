-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 ids
select id from booking where tenant_id = $1 and id = any ($2)
