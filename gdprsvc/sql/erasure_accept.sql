-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 now; no row when it was accepted before
update erasure set accepted_at = $3 where tenant_id = $1 and id = $2 and accepted_at is null
