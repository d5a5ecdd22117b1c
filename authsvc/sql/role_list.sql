-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 limit
select public_id, name, help, permissions, version, created_at
from role
where tenant_id = $1
order by name
limit $2
