-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 index of the plate, $3 country or null, $4 how many
select id, person_id, plate_index, country, plate, label, version, created_at from vehicle
where tenant_id = $1 and plate_index = $2 and ($3::text is null or country = $3) order by id limit $4
