-- SPDX-License-Identifier: Apache-2.0
-- As jobs: $1 ended before, $2 how many rows to look at
select distinct tenant_id
from (select tenant_id from booking where ends_at < $1 and (person_no is not null or created_by_no is not null) limit $2) as due
