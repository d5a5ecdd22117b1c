-- SPDX-License-Identifier: Apache-2.0
-- $1 service, $2 now, $3 interval in seconds; no row: not due, or somebody else sweeps
update retention_run
set claimed_until = $2::timestamptz + interval '10 minutes'
where service = $1
	and (last_run_at is null or last_run_at <= $2::timestamptz - $3::bigint * interval '1 second')
	and (claimed_until is null or claimed_until < $2)
	and (retry_at is null or retry_at <= $2)
returning service
