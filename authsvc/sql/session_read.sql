-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 handle hash
select s.id, s.public_id, s.person_id, p.public_id, s.auth_at, s.seen_at, s.expires_at, s.ended_at, p.status,
	s.acr, s.amr, s.factor_id
from session s
join person p on p.tenant_id = $1 and p.id = s.person_id
where s.tenant_id = $1 and s.handle_hash = $2
