-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 encoded hash, $4 pepper epoch, $5 now
insert into credential (tenant_id, person_id, encoded, pepper_epoch, created_at, updated_at)
values ($1, $2, $3, $4, $5, $5)
on conflict (tenant_id, person_id) do update
set encoded = excluded.encoded, pepper_epoch = excluded.pepper_epoch, updated_at = excluded.updated_at
