-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant
select id, slug, name, locale, registration_domain, version, second_factor
from tenant
where id = $1
