-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 site's no, $3 from, $4 to
select count(*), count(*) filter (where status = 4), count(*) filter (where status in (2, 3)),
	coalesce(floor(sum(extract(epoch from ends_at - starts_at)) filter (where status <> 4 or cancelled_at >= starts_at) / 60), 0)::bigint
from booking
where tenant_id = $1 and starts_at >= $3 and starts_at < $4 and site_no = $2
