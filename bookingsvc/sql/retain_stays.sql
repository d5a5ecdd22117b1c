-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 ended before, $3 how many
update booking
set person_no = null, created_by_no = null, note = null
where ctid = any (array(select ctid from booking where tenant_id = $1 and person_no is not null and starts_at < $2 and ends_at < $2 limit $3))
