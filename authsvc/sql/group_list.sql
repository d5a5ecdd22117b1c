-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 after this group, $3 limit
select g.id, g.public_id, g.name, g.version, g.created_at
from person_group g
where g.tenant_id = $1 and g.public_id > $2
order by g.public_id
limit $3
