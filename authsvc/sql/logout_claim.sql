-- SPDX-License-Identifier: Apache-2.0
-- $1 now, $2 not again before. Under the jobs role, across tenants; other replicas take other rows. Without a client that
-- wants it there is nothing to send.
with due as (
	update logout_notice
	set attempts = attempts + 1, next_at = $2
	where id = (select id from logout_notice where next_at <= $1 order by next_at limit 1 for update skip locked)
	returning id, tenant_id, client_id, session_id, subject_id, attempts, expires_at)
select d.id, d.tenant_id, d.client_id, d.session_id, d.subject_id, d.attempts, d.expires_at, c.public_id, c.backchannel_logout_uri,
	c.id_token_alg
from due d left join client c on c.tenant_id = d.tenant_id and c.id = d.client_id and c.deleted_at is null
