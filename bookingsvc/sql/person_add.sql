-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 people. Sorted, so that two batches cannot wait for each other crosswise.
insert into person (tenant_id, id)
select $1, u.id from (select distinct id from unnest($2::uuid[]) as x (id)) as u
order by u.id
on conflict do nothing
