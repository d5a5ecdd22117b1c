-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 generation presented, $4 now
update grant_family
set generation = generation + 1, rotated_at = $4
where tenant_id = $1 and id = $2 and generation = $3
