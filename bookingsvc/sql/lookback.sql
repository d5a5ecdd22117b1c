-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant: the longest stay that any of its areas ever allowed, minutes
select coalesce(max(lookback_min), 0)::bigint from area where tenant_id = $1
