-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 area's no, $3 start, $4 end, $5 no stay that matters started before. Spots that somebody may need more than
-- others are given last.
select s.no, s.id
from spot s
where s.tenant_id = $1 and s.area_no = $2 and s.status = 1
	and not exists (select from booking b
		where b.tenant_id = $1 and b.spot_no = s.no and b.status <> 4
			and b.starts_at < $4 and b.starts_at > $5 and b.held_until > $3 and b.held_until > b.starts_at)
order by s.accessible, s.charger, s.name
limit 1
