-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 name, $3 locale, $4 registration domain, $5 now, $6 second factor, $7 two-person rule, $8 who asked for its end, $9 when,
-- $10 roles that need a second factor
update tenant
set name = $2, locale = $3, registration_domain = $4, second_factor = $6, version = version + 1, updated_at = $5, two_person_rule = $7,
	rule_off_by = $8, rule_off_at = $9, factor_roles = $10
where id = $1
