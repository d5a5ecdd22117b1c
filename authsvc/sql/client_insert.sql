-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 client_id, $3 name, $4 kind, $5 secret hash, $6 redirect URIs, $7 grants, $8 permissions, $9 alg, $10 now,
-- $11 allowed origins, $12 keys, $13 pushed only, $14 of a third party, $15 URIs after signing out, $16 bound tokens only,
-- $17 where it is told of sign-outs, $18 with the session, $19 what it is vouched for beyond an Admin's
insert into client (tenant_id, public_id, name, kind, secret_hash, redirect_uris, grants, permissions, id_token_alg, created_at,
	allowed_origins, jwks, require_pushed, third_party, post_logout_uris, dpop_bound, backchannel_logout_uri, backchannel_session,
	vouched)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
returning id
