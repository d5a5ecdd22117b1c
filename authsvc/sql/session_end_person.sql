-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 now
update session
set ended_at = $3
where tenant_id = $1 and person_id = $2 and ended_at is null
