-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 sid, $3 jti, $4 sub, $5 client, $6 issued, $7 now
select count(*)
from revocation
where tenant_id = $1 and object_id = any (array[$1, $2, $3, $4, $5]::uuid[]) and until_at > $7
	and (kind in ('session', 'token') or before_at >= $6)
