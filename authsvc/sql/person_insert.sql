-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person, $3 email, $4 email index, $5 given name, $6 family name, $7 locale, $8 status, $9 verified at, $10 now
insert into person (tenant_id, public_id, email, email_index, given_name, family_name, locale, status, email_verified_at, version,
	created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)
returning id
