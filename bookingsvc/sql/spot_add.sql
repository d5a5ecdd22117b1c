-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 area's no, $4 name, $5 accessible, $6 charger, $7 now
insert into spot (tenant_id, id, area_no, name, accessible, charger, status, version, created_at)
values ($1, $2, $3, $4, $5, $6, 1, 1, $7)
