-- SPDX-License-Identifier: Apache-2.0
-- How much of a table the planner takes for one tenant's when it does not know which: a twentieth. Counted, it is what tenants have on average,
-- and where most are small any index that begins with the tenant looked as good as the right one: a large tenant was read from end to end.
alter table site alter column tenant_id set (n_distinct = 20);
alter table area alter column tenant_id set (n_distinct = 20);
alter table spot alter column tenant_id set (n_distinct = 20);
alter table person alter column tenant_id set (n_distinct = 20);
alter table delegation alter column tenant_id set (n_distinct = 20);
alter table vehicle alter column tenant_id set (n_distinct = 20);
alter table booking alter column tenant_id set (n_distinct = 20);
