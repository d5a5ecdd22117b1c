-- SPDX-License-Identifier: Apache-2.0
-- Who has a role, and whether anybody has, is asked when the role changes or is deleted.
create index role_grant_role on role_grant (tenant_id, role);
