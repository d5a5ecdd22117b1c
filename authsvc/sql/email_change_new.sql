-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 token hash of the new address, $3 now. A link is good once.
select id, public_id, person_id, email, created_at, expires_at, old_confirmed_at, new_confirmed_at
from email_change
where tenant_id = $1 and new_token_hash = $2 and expires_at > $3 and new_confirmed_at is null
