-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person. Waits for stays of this person that are being made, and lets no new ones begin.
select no from person where tenant_id = $1 and id = $2 for update
