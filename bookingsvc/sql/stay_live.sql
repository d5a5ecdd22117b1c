-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person's no, $3 now, $4 how many: stays of the person that are to come or going on
select id from booking
where tenant_id = $1 and person_no = $2 and (status = 1 and ends_at > $3 or status = 2)
order by starts_at, id
limit $4
for no key update
