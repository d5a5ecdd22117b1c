-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 token hash, $3 kind, $4 now
select person_id
from mail_link
where tenant_id = $1 and token_hash = $2 and kind = $3 and used_at is null and expires_at > $4
