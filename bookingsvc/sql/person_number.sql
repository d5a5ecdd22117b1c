-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person: person_numbers for one, which begins sooner
select id, no from person where tenant_id = $1 and id = $2
