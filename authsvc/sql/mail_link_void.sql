-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 kind, $4 now
update mail_link
set used_at = $4
where tenant_id = $1 and person_id = $2 and kind = $3 and used_at is null
