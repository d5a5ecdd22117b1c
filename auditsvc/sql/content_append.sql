-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 when appended, $3 leaves, $4 before, $5 after
insert into content (tenant_id, appended_at, leaf_index, before, after)
select $1, $2, c.* from unnest($3, $4, $5) as c
