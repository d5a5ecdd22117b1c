-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 ended before, $3 how many
update booking
set created_by_no = null
where ctid = any (array(select ctid from booking
	where tenant_id = $1 and created_by_no is distinct from person_no and created_by_no is not null and ends_at < $2 limit $3))
