-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 assistant, $4 principal, $5 now
insert into delegation (tenant_id, id, assistant_id, principal_id, created_at)
values ($1, $2, $3, $4, $5)
on conflict do nothing
