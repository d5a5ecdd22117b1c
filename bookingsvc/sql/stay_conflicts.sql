-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, then columns of spots' nos, people's nos, starts, ends, and where to look back to: is the spot taken, is the person?
select u.i,
	exists (select from booking b where b.tenant_id = $1 and b.spot_no = u.spot_no and b.status <> 4
		and b.starts_at < u.ends_at and b.starts_at > u.back_to and b.held_until > u.starts_at and b.held_until > b.starts_at),
	exists (select from booking b where b.tenant_id = $1 and b.person_no = u.person_no and b.status <> 4
		and b.starts_at < u.ends_at and b.starts_at > u.back_to and b.held_until > u.starts_at and b.held_until > b.starts_at)
from unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[]) with ordinality
	as u (spot_no, person_no, starts_at, ends_at, back_to, i)
