-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 spots, $3 now: a row for each that is there. The last column: the midnight of the site that ends the planning window. Looked up
-- one by one, as in person_numbers, and table by table: in a join the planner may prefer another index for the order it gives.
select si.no, a.no, s.no, si.id, a.id, s.id, s.status, a.inventory, a.capacity, a.longest_stay_min, a.lookback_min, a.policy_version,
	(date_trunc('day', $3::timestamptz at time zone si.time_zone) + make_interval(days => a.window_days + 1)) at time zone si.time_zone
from unnest($2::uuid[]) as u (id)
cross join lateral (
	select s.no, s.id, s.status, s.area_no from spot s where s.tenant_id = $1 and s.id = u.id offset 0) as s
cross join lateral (
	select a.no, a.id, a.site_no, a.inventory, a.capacity, a.longest_stay_min, a.lookback_min, a.policy_version, a.window_days
	from area a where a.tenant_id = $1 and a.no = s.area_no offset 0) as a
cross join lateral (
	select si.no, si.id, si.time_zone from site si where si.tenant_id = $1 and si.no = a.site_no offset 0) as si
