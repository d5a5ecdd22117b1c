-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 the service's bit, $4 now; no row when it was confirmed before
update erasure
set pending = pending & ~$3::int::smallint,
	completed_at = case when pending & ~$3::int::smallint = 0 then $4::timestamptz end
where tenant_id = $1 and id = $2 and pending & $3::int::smallint <> 0
returning pending::bigint
