-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 encoded hash, $4 pepper epoch, $5 now, $6 the hash that it replaces
update credential
set encoded = $3, pepper_epoch = $4, updated_at = $5
where tenant_id = $1 and person_id = $2 and encoded = $6
