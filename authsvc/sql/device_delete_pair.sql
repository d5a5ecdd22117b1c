-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person, $3 client (internal numbers). Waits for one who takes its tokens.
delete from device_grant
where tenant_id = $1 and person_id = $2 and client_id = $3
