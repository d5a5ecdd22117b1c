-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 mail, $3 subject, $4 recipient, $5 content, $6 now, $7 expires
insert into mail (tenant_id, public_id, subject_id, recipient, content, next_at, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $6, $7)
