-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 slug, $3 name, $4 locale, $5 now, $6 second factor
insert into tenant (id, slug, name, locale, version, created_at, updated_at, second_factor)
values ($1, $2, $3, $4, 1, $5, $5, $6)
