-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 sids, sorted. As family_lock, for all refreshes of a tenant in a batch: one after the other as they are given, each with its
-- person first. What locks cannot be folded into the join, so that neither the order nor the index is the planner's to choose.
select f.*
from unnest($2::uuid[]) as u (id)
cross join lateral (
	select f.id, f.person_id, f.client_id, f.scope, f.auth_at, f.refresh_salt, f.generation, f.rotated_at, f.expires_at, f.revoked_at,
		f.acr, f.amr, f.factor_id, f.resource,
		(select s.public_id from session s where s.tenant_id = $1 and s.id = f.session_id) as session_id, f.jkt, f.public_id
	from grant_family f
	join person p on p.tenant_id = $1 and p.id = f.person_id
	where f.tenant_id = $1 and f.public_id = u.id
	for key share of p
	for update of f) as f
