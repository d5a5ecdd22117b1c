-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 review, $3 who opens it, $4 now
insert into access_review (tenant_id, public_id, opened_by, opened_at, version)
values ($1, $2, $3, $4, 1)
returning id
