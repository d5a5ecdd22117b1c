-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the review, $3 limit
select i.id, i.public_id, p.public_id as person_id, i.role, i.grant_id, i.certified_by, i.certified_at, i.outcome
from access_review_item i
left join person p on p.tenant_id = $1 and p.id = i.person_id
where i.tenant_id = $1 and i.review_id = $2
order by i.id
limit $3
