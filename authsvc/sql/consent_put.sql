-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 consent, $3 person, $4 client (internal numbers), $5 scope, $6 now
insert into consent (tenant_id, public_id, person_id, client_id, scope, created_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $6)
on conflict (tenant_id, person_id, client_id) do update
set scope = excluded.scope, changed_at = excluded.changed_at
returning public_id
