-- SPDX-License-Identifier: Apache-2.0
-- $1 service, $2 now, $3 rows
update retention_run
set last_run_at = $2, rows = $3, claimed_until = null, retry_at = null
where service = $1
