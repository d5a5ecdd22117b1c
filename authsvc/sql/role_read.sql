-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 role
select public_id, name, help, permissions, version, created_at
from role
where tenant_id = $1 and public_id = $2
