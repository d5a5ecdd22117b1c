-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 limit, $4 now, $5 seen after
select id, public_id, created_at, auth_at, seen_at, expires_at, ended_at, acr, amr, factor_id, browser
from session
where tenant_id = $1 and person_id = $2 and ended_at is null and expires_at > $4 and seen_at > $5
order by created_at desc
limit $3
