-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 kind, $4 token hash, $5 now, $6 expires
insert into mail_link (tenant_id, person_id, kind, token_hash, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6)
