-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 session, $4 now, $5 seen after
select id
from session
where tenant_id = $1 and person_id = $2 and public_id = $3 and ended_at is null and expires_at > $4 and seen_at > $5
for update
