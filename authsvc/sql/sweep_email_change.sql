-- SPDX-License-Identifier: Apache-2.0
-- $1 expired before, $2 limit. Under the jobs role, across tenants.
delete from email_change
where (tenant_id, id) in (select tenant_id, id from email_change where expires_at < $1 order by expires_at limit $2)
