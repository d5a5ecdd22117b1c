-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the client. Waits for an exchange that is under way.
delete from authorization_code
where tenant_id = $1 and client_id = $2 and used_at is null
