-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 roles, $4 now, $5 who grants them
insert into person_role (tenant_id, person_id, role, granted_at, granted_by)
select $1, $2, role, $4, $5
from unnest($3::text[]) as role
on conflict (tenant_id, person_id, role) do nothing
