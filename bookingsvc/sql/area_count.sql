-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 site's no, $3 count no further
select count(*) from (select from area where tenant_id = $1 and site_no = $2 limit $3) as a
