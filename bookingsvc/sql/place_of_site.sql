-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 site, $3 now, $4 only this area. Columns as in place_of_spots, then name and purpose.
select si.no, a.no, null::bigint, si.id, a.id, null::uuid, null::smallint, a.inventory, a.capacity, a.longest_stay_min,
	a.lookback_min, a.policy_version,
	(date_trunc('day', $3::timestamptz at time zone si.time_zone) + make_interval(days => a.window_days + 1)) at time zone si.time_zone,
	a.name, a.purpose
from site si
join area a on a.tenant_id = $1 and a.site_no = si.no
where si.tenant_id = $1 and si.id = $2 and ($4::uuid is null or a.id = $4)
order by a.id
