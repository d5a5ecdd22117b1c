-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 counter, $4 is backed up, $5 now. Uses of one passkey stand in line here: a counter
-- rises, or the authenticator has none and it stays 0.
update factor
set counter = $3, backed_up = $4, used_at = $5
where tenant_id = $1 and id = $2 and (counter < $3 or (counter = 0 and $3 = 0))
returning id
