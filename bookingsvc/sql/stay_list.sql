-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 $3 behind this start and id, $4 how many, $5 ends after, $6 starts before, $7 status, $8 site
-- The public ids are looked up row by row: whatever the planner believes of the number of rows, each is an index look-up.
select b.id, b.site_no, b.area_no, b.spot_no, b.person_no, b.created_by_no,
	(select si.id from site si where si.tenant_id = $1 and si.no = b.site_no),
	(select a.id from area a where a.tenant_id = $1 and a.no = b.area_no),
	(select s.id from spot s where s.tenant_id = $1 and s.no = b.spot_no),
	(select p.id from person p where p.tenant_id = $1 and p.no = b.person_no),
	(select c.id from person c where c.tenant_id = $1 and c.no = b.created_by_no),
	b.starts_at, b.ends_at, b.held_until, b.created_at, b.checked_in_at, b.checked_out_at, b.cancelled_at, b.policy_version,
	b.version, b.status, b.reason, b.note
from booking b
where b.tenant_id = $1 and (b.starts_at, b.id) > ($2, $3) and b.starts_at < $6 and b.ends_at > $5
	and ($7::smallint is null or b.status = $7)
	and ($8::uuid is null or b.site_no = (select no from site where tenant_id = $1 and id = $8))
order by b.starts_at, b.id
limit $4
