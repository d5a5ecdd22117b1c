-- SPDX-License-Identifier: Apache-2.0
-- $1 limit. Under the jobs role, across tenants.
select id, kind, object_id, before_at, until_at
from revocation
where published_at is null
order by id
limit $1
