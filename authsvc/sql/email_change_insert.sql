-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 change, $3 internal number of the person, $4 address, sealed, $5 old token hash, $6 new token hash, $7 now, $8 expires
insert into email_change (tenant_id, public_id, person_id, email, old_token_hash, new_token_hash, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
