-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person
select
	(select count(*) from factor f where f.tenant_id = $1 and f.person_id = $2 and f.confirmed_at is not null),
	(select count(*) from recovery_code r where r.tenant_id = $1 and r.person_id = $2 and r.used_at is null),
	coalesce((select c.encoded from credential c where c.tenant_id = $1 and c.person_id = $2), '')
