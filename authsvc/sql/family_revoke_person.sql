-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 now, $4 reason. In the order of sids, as refreshes
-- that come together lock them.
update grant_family f
set revoked_at = $3, revoked_for = $4
from (
	select id from grant_family
	where tenant_id = $1 and person_id = $2 and revoked_at is null
	order by public_id
	for no key update) as live
where f.tenant_id = $1 and f.id = live.id and f.revoked_at is null
returning f.public_id
