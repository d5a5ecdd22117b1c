-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 session, $3 internal number of the person, $4 handle hash, $5 now, $6 expires, $7 acr, $8 amr, $9 browser, sealed,
-- $10 factor
insert into session (tenant_id, public_id, person_id, handle_hash, auth_at, created_at, seen_at, expires_at,
	acr, amr, browser, factor_id)
values ($1, $2, $3, $4, $5, $5, $5, $6, $7, $8, $9, $10)
returning id
