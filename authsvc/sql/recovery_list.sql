-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 limit
select created_at, used_at
from recovery_code
where tenant_id = $1 and person_id = $2
order by id
limit $3
