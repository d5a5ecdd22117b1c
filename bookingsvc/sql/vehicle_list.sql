-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person, $3 behind this id, $4 how many
select id, person_id, plate_index, country, plate, label, version, created_at from vehicle
where tenant_id = $1 and person_id = $2 and id > $3 order by id limit $4
