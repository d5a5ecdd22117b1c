-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 $3 behind this start and id, $4 how many, $5 ends after, $6 starts before, $7 status, $8 site
select b.id, b.site_no, b.area_no, b.spot_no, b.person_no, b.created_by_no, si.id, a.id, s.id, p.id, c.id, b.starts_at, b.ends_at,
	b.held_until, b.created_at, b.checked_in_at, b.checked_out_at, b.cancelled_at, b.policy_version, b.version, b.status, b.reason,
	b.note
from booking b
join site si on si.tenant_id = b.tenant_id and si.no = b.site_no
join area a on a.tenant_id = b.tenant_id and a.no = b.area_no
left join spot s on s.tenant_id = b.tenant_id and s.no = b.spot_no
left join person p on p.tenant_id = b.tenant_id and p.no = b.person_no
left join person c on c.tenant_id = b.tenant_id and c.no = b.created_by_no
where b.tenant_id = $1 and (b.starts_at, b.id) > ($2, $3) and b.starts_at < $6 and b.ends_at > $5
	and ($7::smallint is null or b.status = $7) and ($8::uuid is null or si.id = $8)
order by b.starts_at, b.id
limit $4
