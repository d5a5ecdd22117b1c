-- SPDX-License-Identifier: Apache-2.0
-- $1 the reserved tenant, $2 retired before
delete from signing_key
where tenant_id = $1 and state = 'retired' and retired_at < $2
