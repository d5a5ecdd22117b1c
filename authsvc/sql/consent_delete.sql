-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 consent, $3 internal number of the person
delete from consent
where tenant_id = $1 and public_id = $2 and person_id = $3
returning client_id
