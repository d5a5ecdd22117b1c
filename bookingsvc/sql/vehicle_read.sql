-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id
select id, person_id, plate_index, country, plate, label, version, created_at from vehicle
where tenant_id = $1 and id = $2
