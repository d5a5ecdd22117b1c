-- SPDX-License-Identifier: Apache-2.0
-- $1 expired before, $2 limit. Under the jobs role, across tenants.
delete from grant_family
where (tenant_id, id) in (select tenant_id, id from grant_family where expires_at < $1 order by expires_at limit $2)
