-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 limit
select id, public_id, kind, data, counter, created_at, confirmed_at, used_at, credential_hash, backup_eligible,
	backed_up
from factor
where tenant_id = $1 and person_id = $2
order by id
limit $3
