-- SPDX-License-Identifier: Apache-2.0
-- $1 used before, $2 limit. Under the jobs role, across tenants.
delete from recovery_code
where (tenant_id, id) in (select tenant_id, id from recovery_code where used_at < $1 order by used_at limit $2)
