-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 who may be an assistant of the person
select b.id, b.site_no, b.area_no, b.spot_no, b.person_no, b.created_by_no, si.id, a.id, s.id, p.id, c.id, b.starts_at, b.ends_at,
	b.held_until, b.created_at, b.checked_in_at, b.checked_out_at, b.cancelled_at, b.policy_version, b.version, b.status, b.reason,
	b.note,
	exists (select from delegation d where d.tenant_id = b.tenant_id and d.assistant_id = $3 and d.principal_id = p.id)
from booking b
join site si on si.tenant_id = b.tenant_id and si.no = b.site_no
join area a on a.tenant_id = b.tenant_id and a.no = b.area_no
left join spot s on s.tenant_id = b.tenant_id and s.no = b.spot_no
left join person p on p.tenant_id = b.tenant_id and p.no = b.person_no
left join person c on c.tenant_id = b.tenant_id and c.no = b.created_by_no
where b.tenant_id = $1 and b.id = $2
