-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the client, $3 not before. All that one receiver, who is away, is still to be told.
update logout_notice
set next_at = $3
where tenant_id = $1 and client_id = $2 and next_at < $3
