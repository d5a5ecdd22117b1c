-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 area, $3 now. Columns as in place_of_spots.
select si.no, a.no, null::bigint, si.id, a.id, null::uuid, null::smallint, a.inventory, a.capacity, a.longest_stay_min,
	a.lookback_min, a.policy_version,
	(date_trunc('day', $3::timestamptz at time zone si.time_zone) + make_interval(days => a.window_days + 1)) at time zone si.time_zone
from area a
join site si on si.tenant_id = $1 and si.no = a.site_no
where a.tenant_id = $1 and a.id = $2
