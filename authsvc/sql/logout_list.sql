-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 subject, $3 limit
select c.public_id, n.session_id, n.created_at
from logout_notice n join client c on c.tenant_id = n.tenant_id and c.id = n.client_id
where n.tenant_id = $1 and n.subject_id = $2
order by n.id
limit $3
