-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 after this grant, $3 limit, $4 of this person, $5 of this group (null: of all)
select r.id, r.public_id, p.public_id as person_id, g.public_id as group_id, r.role, r.scope, r.scope_id, r.starts_at, r.over_at, r.status, r.subject_id,
	r.reason, r.granted_by, r.decided_by, r.version, r.created_at, r.person_id as person_no, r.group_id as group_no
from role_grant r
left join person p on p.tenant_id = $1 and p.id = r.person_id
left join person_group g on g.tenant_id = $1 and g.id = r.group_id
where r.tenant_id = $1 and r.public_id > $2 and ($4::uuid is null or p.public_id = $4) and ($5::uuid is null or g.public_id = $5)
order by r.public_id
limit $3
