-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id
select 1::bigint from booking where tenant_id = $1 and id = $2 for no key update
