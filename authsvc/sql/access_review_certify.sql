-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the review, $3 items, $4 who certifies, $5 now
update access_review_item
set certified_by = $4, certified_at = $5
where tenant_id = $1 and review_id = $2 and public_id = any ($3::uuid[])
returning public_id
