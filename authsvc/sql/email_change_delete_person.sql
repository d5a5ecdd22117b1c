-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person
delete from email_change
where tenant_id = $1 and person_id = $2
