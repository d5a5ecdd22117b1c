-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the client, $3 hash of the jti, $4 expires. No row: it was used before.
insert into client_assertion (tenant_id, client_id, jti_hash, expires_at)
values ($1, $2, $3, $4)
on conflict on constraint client_assertion_jti do nothing
returning id
