-- SPDX-License-Identifier: Apache-2.0
select set_config('plan_cache_mode', 'force_custom_plan', true)
