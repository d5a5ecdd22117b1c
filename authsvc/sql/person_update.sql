-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 given name, $4 family name, $5 locale, $6 status, $7 verified at, $8 now
update person
set given_name = $3, family_name = $4, locale = $5, status = $6, email_verified_at = $7, version = version + 1, updated_at = $8
where tenant_id = $1 and id = $2
returning version
