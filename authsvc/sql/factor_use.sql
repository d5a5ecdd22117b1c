-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 counter, $4 now. Uses of one factor stand in line here; each counter serves one.
update factor
set counter = $3, used_at = $4, confirmed_at = coalesce(confirmed_at, $4)
where tenant_id = $1 and id = $2 and counter < $3
returning id
