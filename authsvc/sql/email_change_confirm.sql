-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 the old address's, $4 now
update email_change
set old_confirmed_at = case when $3 then $4 else old_confirmed_at end,
	new_confirmed_at = case when $3 then new_confirmed_at else $4 end
where tenant_id = $1 and id = $2
