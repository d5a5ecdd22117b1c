-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number
delete from logout_notice
where tenant_id = $1 and id = $2
returning id
