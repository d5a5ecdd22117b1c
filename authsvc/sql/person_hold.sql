-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number. Whoever changes rights or status waits, or was waited for; what is read next is of after that.
select id
from person
where tenant_id = $1 and id = $2
for key share
