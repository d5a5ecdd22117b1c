-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 people asked for
select public_id
from person
where tenant_id = $1 and public_id = any ($2::uuid[]) and status = 'active'
