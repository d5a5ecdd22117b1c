-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant
select count(*)
from person_group
where tenant_id = $1
