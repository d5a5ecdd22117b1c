-- SPDX-License-Identifier: Apache-2.0
-- $1 the reserved tenant, $2 alg, $3 now. The private part goes at once.
update signing_key
set state = 'retired', private_key = null, retired_at = $3
where tenant_id = $1 and alg = $2 and state = 'active'
