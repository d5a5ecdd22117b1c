-- SPDX-License-Identifier: Apache-2.0
-- $1 hash of a user code, $2 now. Under the jobs role: the tenant is not known yet.
select tenant_id
from device_grant
where user_code_hash = $1 and expires_at > $2
