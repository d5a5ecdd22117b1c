-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 name, $4 redirect URIs, $5 grants, $6 permissions, $7 alg, $8 allowed origins, $9 keys, $10 pushed
-- only, $11 of a third party, $12 URIs after signing out, $13 bound tokens only, $14 where it is told of sign-outs, $15 with the
-- session, $16 what it is vouched for beyond an Admin's
update client
set name = $3, redirect_uris = $4, grants = $5, permissions = $6, id_token_alg = $7, allowed_origins = $8, jwks = $9, require_pushed = $10,
	third_party = $11, post_logout_uris = $12, dpop_bound = $13, backchannel_logout_uri = $14, backchannel_session = $15,
	vouched = $16, version = version + 1
where tenant_id = $1 and id = $2 and deleted_at is null
returning version
