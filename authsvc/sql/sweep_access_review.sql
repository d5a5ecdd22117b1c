-- SPDX-License-Identifier: Apache-2.0
-- $1 closed before, $2 limit. Under the jobs role, across tenants; items go along.
delete from access_review
where (tenant_id, id) in (select tenant_id, id from access_review where closed_at < $1 order by closed_at limit $2)
