-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 limit. What was reviewed of the person.
select r.public_id, r.opened_at, i.role, i.certified_at, i.outcome
from access_review_item i
join access_review r on r.tenant_id = $1 and r.id = i.review_id
where i.tenant_id = $1 and i.person_id = $2
order by i.id
limit $3
