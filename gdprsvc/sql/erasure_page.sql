-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 before this key, $3 at most
select key, id, person_id, requested_at, completed_at, pending::bigint, actor_id, accepted_at
from erasure
where tenant_id = $1 and key < $2
order by key desc
limit $3
