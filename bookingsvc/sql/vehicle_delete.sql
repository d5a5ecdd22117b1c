-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 whose it must be
delete from vehicle where tenant_id = $1 and id = $2 and person_id = $3
returning id, person_id, plate_index, country, plate, label, version, created_at
