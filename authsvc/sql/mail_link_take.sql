-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 token hash, $3 kind, $4 now. Of two at once, one gets the row.
update mail_link
set used_at = $4
where tenant_id = $1 and token_hash = $2 and kind = $3 and used_at is null and expires_at > $4
returning person_id
