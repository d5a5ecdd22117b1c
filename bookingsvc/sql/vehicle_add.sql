-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 person, $4 index of the plate, $5 country, $6 plate, $7 label, $8 now
insert into vehicle (tenant_id, id, person_id, plate_index, country, plate, label, version, created_at)
values ($1, $2, $3, $4, $5, $6, $7, 1, $8)
on conflict do nothing
