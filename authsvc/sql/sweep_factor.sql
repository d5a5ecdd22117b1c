-- SPDX-License-Identifier: Apache-2.0
-- $1 begun before, $2 limit. Under the jobs role, across tenants: what was never finished.
delete from factor
where (tenant_id, id) in (select tenant_id, id from factor where confirmed_at is null and created_at < $1 order by created_at limit $2)
