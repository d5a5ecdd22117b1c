-- SPDX-License-Identifier: Apache-2.0
-- $1 after this tenant, $2 limit. Under the jobs role: over all tenants.
select id, slug, name, locale, registration_domain, version, second_factor, two_person_rule, rule_off_by, rule_off_at, factor_roles, created_at
from tenant
where id > $1
order by id
limit $2
