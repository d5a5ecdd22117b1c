-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 names. Held: a role that is being given is not deleted or changed before that is done.
select permissions
from role
where tenant_id = $1 and name = any ($2::text[])
order by public_id
for share
