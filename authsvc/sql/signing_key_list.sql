-- SPDX-License-Identifier: Apache-2.0
-- $1 the reserved tenant
select public_id, kid, alg, state, jwk, private_key, created_at, activated_at, retired_at
from signing_key
where tenant_id = $1
order by id
