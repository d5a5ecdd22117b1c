-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 now, $4 interval
update device_grant
set polled_at = $3, interval_s = $4
where tenant_id = $1 and id = $2
