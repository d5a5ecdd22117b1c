-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 hashes in hex, $4 now
insert into recovery_code (tenant_id, person_id, code_hash, created_at)
select $1, $2, decode(h, 'hex'), $4
from unnest($3::text[]) as h
