-- SPDX-License-Identifier: Apache-2.0
-- $1 deleted before, $2 limit. Under the jobs role, across tenants; its grants must have gone first.
delete from client c
where (c.tenant_id, c.id) in (
	select d.tenant_id, d.id
	from client d
	where d.deleted_at < $1
		and not exists (select from grant_family f where f.tenant_id = d.tenant_id and f.client_id = d.id)
	limit $2)
