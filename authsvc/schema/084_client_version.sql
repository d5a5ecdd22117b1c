-- SPDX-License-Identifier: Apache-2.0
-- Clients change: each change is a version, and the next one says which it has seen.
alter table client add column version bigint not null default 1 check (version > 0);
grant update (name, redirect_uris, grants, permissions, id_token_alg, jwks, require_pushed, third_party, post_logout_uris, dpop_bound,
	backchannel_logout_uri, backchannel_session, version) on client to :app_role;
