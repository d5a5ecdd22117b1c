-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 factor, $3 internal number of the person, $4 kind, $5 sealed data, $6 now
insert into factor (tenant_id, public_id, person_id, kind, data, created_at)
values ($1, $2, $3, $4, $5, $6)
returning id
