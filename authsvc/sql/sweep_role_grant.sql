-- SPDX-License-Identifier: Apache-2.0
-- $1 over before, $2 limit. Under the jobs role, across tenants.
delete from role_grant
where (tenant_id, id) in (select tenant_id, id from role_grant where over_at < $1 order by over_at limit $2)
