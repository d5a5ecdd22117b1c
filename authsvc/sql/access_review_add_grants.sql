-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the review, $3 roles that are reviewed, $4 now
insert into access_review_item (tenant_id, public_id, review_id, person_id, role, grant_id)
select $1, gen_random_uuid(), $2, r.person_id, r.role, r.public_id
from role_grant r
where r.tenant_id = $1 and r.role = any ($3::text[]) and r.status = 'active' and (r.over_at is null or r.over_at > $4)
