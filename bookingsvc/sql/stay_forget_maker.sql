-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person's no
update booking
set created_by_no = null
where tenant_id = $1 and created_by_no = $2 and created_by_no is distinct from person_no
