-- SPDX-License-Identifier: Apache-2.0
-- $1 the reserved tenant. Those that sign first, then the retired ones, the newest first: whatever a reader has no room for is
-- what is needed least.
select public_id, kid, alg, state, jwk, private_key, created_at, activated_at, retired_at
from signing_key
where tenant_id = $1
order by state = 'retired', retired_at desc, id
