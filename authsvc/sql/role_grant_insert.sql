-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 grant, $3 person, $4 group, $5 role, $6 scope, $7 its id, $8 starts at, $9 over at, $10 status, $11 subject, $12 reason,
-- $13 granted by, $14 now
insert into role_grant (tenant_id, public_id, person_id, group_id, role, scope, scope_id, starts_at, over_at, status, subject_id, reason,
	granted_by, version, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14)
returning id
