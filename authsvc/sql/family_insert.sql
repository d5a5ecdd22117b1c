-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 sid, $3 person, $4 client, $5 session (internal numbers), $6 scope, $7 authenticated at, $8 now, $9 refresh salt,
-- $10 expires, $11 acr, $12 amr, $13 factor, $14 resource, $15 thumbprint of its key
insert into grant_family (tenant_id, public_id, person_id, client_id, session_id, scope, auth_at, created_at, refresh_salt,
	generation, rotated_at, expires_at, acr, amr, factor_id, resource, jkt)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $8, $10, $11, $12, $13, $14, $15)
returning id
