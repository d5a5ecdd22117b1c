-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 who may be an assistant of the person
-- The public ids are looked up row by row: whatever the planner believes of the number of rows, each is an index look-up.
select b.id, b.site_no, b.area_no, b.spot_no, b.person_no, b.created_by_no,
	(select si.id from site si where si.tenant_id = $1 and si.no = b.site_no),
	(select a.id from area a where a.tenant_id = $1 and a.no = b.area_no),
	(select s.id from spot s where s.tenant_id = $1 and s.no = b.spot_no),
	(select p.id from person p where p.tenant_id = $1 and p.no = b.person_no),
	(select c.id from person c where c.tenant_id = $1 and c.no = b.created_by_no),
	b.starts_at, b.ends_at, b.held_until, b.created_at, b.checked_in_at, b.checked_out_at, b.cancelled_at, b.policy_version,
	b.version, b.status, b.reason, b.note,
	exists (select from person p join delegation d on d.tenant_id = $1 and d.assistant_id = $3 and d.principal_id = p.id
		where p.tenant_id = $1 and p.no = b.person_no)
from booking b
where b.tenant_id = $1 and b.id = $2
