-- SPDX-License-Identifier: Apache-2.0
-- $1 the reserved tenant, $2 key, $3 kid, $4 alg, $5 state, $6 jwk, $7 private key, $8 now, $9 activated at
insert into signing_key (tenant_id, public_id, kid, alg, state, jwk, private_key, created_at, activated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
