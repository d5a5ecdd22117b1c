-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 people. Holds off their erasure until the commit; sorted.
select no from person where tenant_id = $1 and id = any ($2::uuid[]) order by id for key share
