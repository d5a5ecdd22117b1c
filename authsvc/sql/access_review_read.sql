-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 review
select id, public_id, opened_by, opened_at, closed_by, closed_at, version
from access_review
where tenant_id = $1 and public_id = $2
