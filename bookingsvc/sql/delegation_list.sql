-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 behind this id, $3 how many
select id, assistant_id, principal_id, created_at from delegation where tenant_id = $1 and id > $2 order by id limit $3
