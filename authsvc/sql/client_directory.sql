-- SPDX-License-Identifier: Apache-2.0
-- $1 client_id. Under the jobs role: the tenant is not known yet.
select tenant_id
from client
where public_id = $1 and deleted_at is null
