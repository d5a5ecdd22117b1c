-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 areas' nos, $3 start, $4 end, $5 where each area looks back to, $6 how many at most
select s.area_no, s.id, s.name, s.status, exists (select from booking b
		where b.tenant_id = $1 and b.spot_no = s.no and b.status <> 4
			and b.starts_at < $4 and b.starts_at > u.back_to and b.held_until > $3 and b.held_until > b.starts_at)
from unnest($2::bigint[], $5::timestamptz[]) with ordinality as u (area_no, back_to, i)
join spot s on s.tenant_id = $1 and s.area_no = u.area_no
order by u.i, s.name
limit $6
