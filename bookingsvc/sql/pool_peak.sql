-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 area's no, $3 start, $4 end, $5 no stay that matters started before, $6 leave out this stay.
-- The most places held at one time: an end counts before a start of the same instant.
with held as (
	select greatest(starts_at, $3) as from_at, held_until as to_at
	from booking
	where tenant_id = $1 and area_no = $2 and spot_no is null and status <> 4
		and starts_at < $4 and starts_at > $5 and held_until > $3 and held_until > starts_at and id <> $6
), step as (
	select from_at as at, 1 as delta from held
	union all
	select to_at, -1 from held
)
select coalesce(max(places), 0) from (select sum(delta) over (order by at, delta) as places from step) as sums
