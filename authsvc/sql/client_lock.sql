-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 client_id. Changes of one client stand in line here.
select c.id, c.public_id, c.name, c.kind, c.secret_hash, c.redirect_uris, c.grants, c.permissions, c.id_token_alg, c.created_at,
	c.allowed_origins, c.jwks, c.require_pushed, c.third_party, c.post_logout_uris, c.dpop_bound,
	c.backchannel_logout_uri, c.backchannel_session, c.version, c.vouched
from client c
where c.tenant_id = $1 and c.public_id = $2 and c.deleted_at is null
for no key update of c
