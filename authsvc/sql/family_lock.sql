-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 sid. Two refreshes of one family stand in line here; the person first, as whoever ends all that a person has open.
select f.id, f.person_id, f.client_id, f.scope, f.auth_at, f.refresh_salt, f.generation, f.rotated_at, f.expires_at, f.revoked_at,
	f.acr, f.amr, f.factor_id, f.resource,
	(select s.public_id from session s where s.tenant_id = $1 and s.id = f.session_id), f.jkt
from grant_family f
join person p on p.tenant_id = $1 and p.id = f.person_id
where f.tenant_id = $1 and f.public_id = $2
for key share of p
for update of f
