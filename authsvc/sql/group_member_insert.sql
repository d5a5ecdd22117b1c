-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the group, $3 people, $4 now. Those who are not there yet; returns how many there are.
with wanted as (
	select id from person where tenant_id = $1 and public_id = any ($3::uuid[]) and status in ('active', 'invited')
), added as (
	insert into person_group_member (tenant_id, group_id, person_id, added_at)
	select $1, $2, id, $4 from wanted
	on conflict (tenant_id, group_id, person_id) do nothing
)
select count(*) from wanted
