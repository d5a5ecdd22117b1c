-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 name, $4 zone, $5 now
insert into site (tenant_id, id, name, time_zone, version, created_at)
values ($1, $2, $3, $4, 1, $5)
