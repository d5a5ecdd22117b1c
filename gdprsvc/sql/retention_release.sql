-- SPDX-License-Identifier: Apache-2.0
-- $1 service, $2 when to try again
update retention_run set claimed_until = null, retry_at = $2 where service = $1
