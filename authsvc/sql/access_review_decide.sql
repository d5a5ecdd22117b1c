-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the item, $3 outcome
update access_review_item
set outcome = $3
where tenant_id = $1 and id = $2
