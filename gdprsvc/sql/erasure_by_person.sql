-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person
select key, id, person_id, requested_at, completed_at, pending::bigint, actor_id, accepted_at
from erasure
where tenant_id = $1 and person_id = $2
