-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 sid
select session_id
from grant_family
where tenant_id = $1 and public_id = $2 and session_id is not null
