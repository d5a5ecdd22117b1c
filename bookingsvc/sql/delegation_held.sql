-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 assistants, $3 principals, side by side; looked up one by one, as in person_numbers
select u.i
from unnest($2::uuid[], $3::uuid[]) with ordinality as u (assistant_id, principal_id, i)
cross join lateral (
	select from delegation d where d.tenant_id = $1 and d.assistant_id = u.assistant_id and d.principal_id = u.principal_id offset 0) as d
