-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person who is not counted, $3 the role
select count(*)
from person_role r
join person p on p.tenant_id = $1 and p.id = r.person_id
where r.tenant_id = $1 and r.role = $3 and r.person_id <> $2 and p.status = 'active' and p.email_verified_at is not null
