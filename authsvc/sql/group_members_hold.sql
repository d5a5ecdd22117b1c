-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 people, in the order of their numbers: a token of theirs that is being made is waited for.
select id
from person
where tenant_id = $1 and public_id = any ($2::uuid[])
order by id
for update
