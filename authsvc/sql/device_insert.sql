-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 device grant, $3 internal number of the client, $4 hash of the device code, $5 of the user code, $6 scope, $7 resource,
-- $8 now, $9 expires, $10 interval. No row: the user code is in use.
insert into device_grant (tenant_id, public_id, client_id, device_code_hash, user_code_hash, scope, resource, created_at, expires_at,
	interval_s)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing
returning id
