-- SPDX-License-Identifier: Apache-2.0
-- $1 the reserved tenant, $2 alg, $3 now
update signing_key
set state = 'active', activated_at = $3
where tenant_id = $1 and alg = $2 and state = 'next'
