-- SPDX-License-Identifier: Apache-2.0
-- $1 asked for before, $2 limit. Under the jobs role, across tenants.
delete from role_grant
where (tenant_id, id) in (select tenant_id, id from role_grant where status = 'pending' and created_at < $1 order by created_at limit $2)
