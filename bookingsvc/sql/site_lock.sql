-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id
select no, id, name, time_zone, version from site where tenant_id = $1 and id = $2 for no key update
