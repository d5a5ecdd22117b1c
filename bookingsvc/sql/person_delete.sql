-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 no
delete from person where tenant_id = $1 and no = $2
