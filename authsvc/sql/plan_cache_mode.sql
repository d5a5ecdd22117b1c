-- SPDX-License-Identifier: Apache-2.0
-- $1 how what follows in the transaction is planned
select set_config('plan_cache_mode', $1, true)
