-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person, on either side; $3 how many
select id, assistant_id, principal_id, created_at from delegation where tenant_id = $1 and assistant_id = $2
union all
select id, assistant_id, principal_id, created_at from delegation where tenant_id = $1 and principal_id = $2
limit $3
