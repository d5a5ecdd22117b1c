-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 area's no, $3 count no further
select count(*) from (select from spot where tenant_id = $1 and area_no = $2 limit $3) as s
