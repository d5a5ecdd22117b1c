-- SPDX-License-Identifier: Apache-2.0
-- $1 slug. Under the jobs role: the tenant is not known yet.
select id, slug, name, locale, registration_domain, version, second_factor, two_person_rule, rule_off_by, rule_off_at, factor_roles
from tenant
where slug = $1
