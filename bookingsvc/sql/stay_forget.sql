-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person's no
update booking
set person_no = null, created_by_no = nullif(created_by_no, $2), note = null
where tenant_id = $1 and person_no = $2
