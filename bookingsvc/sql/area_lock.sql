-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id. What is decided by counting is decided under this lock.
select no from area where tenant_id = $1 and id = $2 for no key update
