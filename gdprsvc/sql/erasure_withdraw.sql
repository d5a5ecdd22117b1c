-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id; only before any service has erased anything
delete from erasure
where tenant_id = $1 and id = $2 and pending = 7
