-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 kind, $3 objects, $4 issued up to, $5 until
insert into revocation (tenant_id, kind, object_id, before_at, until_at)
select $1, $2, object_id, $4, $5
from unnest($3::uuid[]) as object_id
