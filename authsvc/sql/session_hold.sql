-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number. Whoever ends the session waits, or was waited for.
select id
from session
where tenant_id = $1 and id = $2 and ended_at is null
for share
