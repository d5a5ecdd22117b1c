-- SPDX-License-Identifier: Apache-2.0
-- $1 after this internal number, $2 now, $3 limit. Under the jobs role, across tenants.
select id, kind, object_id, before_at, until_at
from revocation
where id > $1 and until_at > $2
order by id
limit $3
