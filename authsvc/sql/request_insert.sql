-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 request, $3 handle hash, $4 internal number of the client, $5 parameters, $6 now, $7 expires
insert into authorization_request (tenant_id, public_id, handle_hash, client_id, parameters, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7)
