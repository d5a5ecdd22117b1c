-- SPDX-License-Identifier: Apache-2.0
-- A page of a tenant's newest events must never be looked for along the leaves of all tenants: for a tenant that has been quiet for
-- long that walks the whole log, and the planner, which takes tenants to be spread evenly, chose it. So no index has the order of
-- leaf_index alone; that no leaf stands twice is held by an expression that no such query can use.
alter table event drop constraint event_pkey;
drop index event_tenant;
alter table event add primary key (tenant_id, leaf_index);
create unique index event_leaf on event ((leaf_index + 0));

-- For the same reason a page of some time comes in the order of time, not out of the order of leaves.
drop index event_at;
create index event_at on event (tenant_id, at, leaf_index);
