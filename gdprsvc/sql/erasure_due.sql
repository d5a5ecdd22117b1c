-- SPDX-License-Identifier: Apache-2.0
-- $1 now, $2 at most; $1 plus a back-off is when the next try would be due
update erasure
set attempts = attempts + 1,
	next_try_at = $1::timestamptz + least(300, 2 ^ least(attempts, 8)) * interval '1 second'
where key in (
	select key from erasure where pending <> 0 and next_try_at <= $1 order by next_try_at limit $2 for update skip locked)
returning key, id, person_id, requested_at, completed_at, pending::bigint, actor_id, accepted_at, tenant_id
