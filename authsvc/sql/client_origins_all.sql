-- SPDX-License-Identifier: Apache-2.0
-- $1 after this client_id, $2 limit. Under the jobs role: all tenants' clients that have any.
select public_id, allowed_origins
from client
where public_id > $1 and deleted_at is null and allowed_origins <> ''
order by public_id
limit $2
