-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 when sessions of theirs ended just now, $4 expires. Whoever got an ID
-- token in one of them and wants to be told.
insert into logout_notice (tenant_id, client_id, session_id, subject_id, next_at, created_at, expires_at)
select s.tenant_id, c.id, s.public_id, p.public_id, $3, $3, $4
from session s
	join person p on p.tenant_id = s.tenant_id and p.id = s.person_id
	join client c on c.tenant_id = s.tenant_id and c.backchannel_logout_uri is not null and c.deleted_at is null
where s.tenant_id = $1 and s.person_id = $2 and s.ended_at = $3
	and exists (
		select
		from grant_family f
		where f.tenant_id = s.tenant_id and f.session_id = s.id and f.client_id = c.id and f.scope ~ '(^| )openid( |$)')
on conflict do nothing
