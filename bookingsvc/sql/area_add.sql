-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id, $3 site's no, $4 name, $5 inventory, $6 purpose, $7 capacity, $8 longest stay, $9 window, $10 now
insert into area (tenant_id, id, site_no, name, inventory, purpose, capacity, longest_stay_min, lookback_min, window_days,
	policy_version, version, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, 1, 1, $10)
