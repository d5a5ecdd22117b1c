-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, then what may change
update booking
set spot_no = $3, starts_at = $4, ends_at = $5, held_until = $6, checked_in_at = $7, checked_out_at = $8, cancelled_at = $9,
	version = $10, status = $11, reason = $12, note = $13
where tenant_id = $1 and id = $2
