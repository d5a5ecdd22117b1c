-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the review, $3 roles that are reviewed
insert into access_review_item (tenant_id, public_id, review_id, person_id, role)
select $1, gen_random_uuid(), $2, r.person_id, r.role
from person_role r
join person p on p.tenant_id = $1 and p.id = r.person_id and p.status <> 'erased'
where r.tenant_id = $1 and r.role = any ($3::text[])
