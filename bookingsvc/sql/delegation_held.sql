-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 assistants, $3 principals, side by side
select u.i
from unnest($2::uuid[], $3::uuid[]) with ordinality as u (assistant_id, principal_id, i)
join delegation d on d.tenant_id = $1 and d.assistant_id = u.assistant_id and d.principal_id = u.principal_id
