-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id
select a.no, s.no, a.id, s.id, a.name, a.inventory, a.purpose, a.capacity, a.longest_stay_min, a.lookback_min, a.window_days,
	a.policy_version, a.version
from area a
join site s on s.tenant_id = a.tenant_id and s.no = a.site_no
where a.tenant_id = $1 and a.id = $2
