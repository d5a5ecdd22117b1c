-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person, $3 client (internal numbers). Waits for an exchange that is under way.
delete from authorization_code
where tenant_id = $1 and person_id = $2 and client_id = $3 and used_at is null
