-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 group, $3 name, $4 now
insert into person_group (tenant_id, public_id, name, version, created_at, updated_at)
values ($1, $2, $3, 1, $4, $4)
returning id
