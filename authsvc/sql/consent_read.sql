-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person, $3 client (internal numbers). Whoever withdraws it waits for what is given by it, or was waited for.
select scope
from consent
where tenant_id = $1 and person_id = $2 and client_id = $3
for key share
