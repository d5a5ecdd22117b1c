-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person
select count(*) from vehicle where tenant_id = $1 and person_id = $2
