-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 spot, $3 now: place_of_spots for one, which begins sooner. `offset` keeps the spot's look-up whole, so that no other index
-- is preferred for the order it gives.
select si.no, a.no, s.no, si.id, a.id, s.id, s.status, a.inventory, a.capacity, a.longest_stay_min, a.lookback_min, a.policy_version,
	(date_trunc('day', $3::timestamptz at time zone si.time_zone) + make_interval(days => a.window_days + 1)) at time zone si.time_zone
from (select s.no, s.id, s.status, s.area_no from spot s where s.tenant_id = $1 and s.id = $2 offset 0) as s
join area a on a.tenant_id = $1 and a.no = s.area_no
join site si on si.tenant_id = $1 and si.no = a.site_no
