-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 role, $3 name, $4 help, $5 permissions, $6 now
insert into role (tenant_id, public_id, name, help, permissions, version, created_at, updated_at)
values ($1, $2, $3, $4, $5, 1, $6, $6)
