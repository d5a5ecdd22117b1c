-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 no, $3 name, $4 capacity, $5 longest stay, $6 lookback, $7 window, $8 policy version, $9 version
update area
set name = $3, capacity = $4, longest_stay_min = $5, lookback_min = $6, window_days = $7, policy_version = $8, version = $9
where tenant_id = $1 and no = $2
