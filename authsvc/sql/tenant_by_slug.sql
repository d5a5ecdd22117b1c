-- SPDX-License-Identifier: Apache-2.0
-- $1 slug. Under the jobs role: the tenant is not known yet.
select id, slug, name, locale, registration_domain, version, second_factor
from tenant
where slug = $1
