-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 code hash, $3 client, $4 person, $5 session (internal numbers), $6 redirect URI, $7 scope, $8 nonce,
-- $9 challenge, $10 authenticated at, $11 now, $12 expires, $13 acr, $14 amr, $15 factor, $16 resource,
-- $17 thumbprint of the key that it is bound to
insert into authorization_code (tenant_id, code_hash, client_id, person_id, session_id, redirect_uri, scope, nonce, code_challenge,
	auth_at, created_at, expires_at, acr, amr, factor_id, resource, jkt)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
