-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 who closes it, $4 now
update access_review
set closed_by = $3, closed_at = $4, version = version + 1
where tenant_id = $1 and id = $2
returning version
