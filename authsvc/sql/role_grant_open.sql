-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 now, $3 internal number of a person, $4 of a group, $5 name of a role (null: whatever). How many are not over yet;
-- one that waited for a second person for a week is.
select count(*)
from role_grant
where tenant_id = $1 and status in ('pending', 'active') and (over_at is null or over_at > $2)
	and (status = 'active' or created_at > $2 - interval '7 days')
	and ($3::bigint is null or person_id = $3) and ($4::bigint is null or group_id = $4) and ($5::text is null or role = $5)
