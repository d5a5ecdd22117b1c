-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 behind this id, $3 how many
select no, id, name, time_zone, version from site where tenant_id = $1 and id > $2 order by id limit $3
