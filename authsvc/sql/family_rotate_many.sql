-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal numbers, each locked and found at the generation that was presented, $3 now. Planned for its values: a generic plan
-- takes a tenant to be as large as tenants are on average, and where that is small reads all its families sooner than look up a few.
update grant_family
set generation = generation + 1, rotated_at = $3
where tenant_id = $1 and id = any ($2::bigint[])
