-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 spots, $3 now: a row for each that is there, in no order. The last column: the midnight of the site that ends the planning window.
select si.no, a.no, s.no, si.id, a.id, s.id, s.status, a.inventory, a.capacity, a.longest_stay_min, a.lookback_min,
	a.policy_version,
	(date_trunc('day', $3::timestamptz at time zone si.time_zone) + make_interval(days => a.window_days + 1)) at time zone si.time_zone
from spot s
join area a on a.tenant_id = $1 and a.no = s.area_no
join site si on si.tenant_id = $1 and si.no = a.site_no
where s.tenant_id = $1 and s.id = any ($2)
