-- SPDX-License-Identifier: Apache-2.0
-- $1 tenants, $2 when appended, $3 leaves, $4 before, $5 after
insert into content (appended_at, tenant_id, leaf_index, before, after)
select $2, c.* from unnest($1, $3, $4, $5) as c
