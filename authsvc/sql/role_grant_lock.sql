-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 grant
select r.id, r.public_id, p.public_id as person_id, g.public_id as group_id, r.role, r.scope, r.scope_id, r.starts_at, r.over_at, r.status, r.subject_id,
	r.reason, r.granted_by, r.decided_by, r.version, r.created_at, r.person_id as person_no, r.group_id as group_no
from role_grant r
left join person p on p.tenant_id = $1 and p.id = r.person_id
left join person_group g on g.tenant_id = $1 and g.id = r.group_id
where r.tenant_id = $1 and r.public_id = $2
for update of r
