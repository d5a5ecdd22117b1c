-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 code hash. Exchanges of one code stand in line here; the person first, as whoever ends all that a person has open.
select a.id, a.client_id, a.person_id, a.session_id, a.redirect_uri, a.scope, a.nonce, a.code_challenge, a.auth_at, a.expires_at,
	a.used_at, a.family_id, s.ended_at, s.id is not null, f.public_id, a.acr, a.amr, a.factor_id, a.resource, s.public_id, a.jkt
from authorization_code a
join person p on p.tenant_id = $1 and p.id = a.person_id
left join session s on s.tenant_id = $1 and s.id = a.session_id
left join grant_family f on f.tenant_id = $1 and f.id = a.family_id
where a.tenant_id = $1 and a.code_hash = $2
for key share of p
for update of a
