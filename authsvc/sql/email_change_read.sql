-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person
select id, public_id, person_id, email, created_at, expires_at, old_confirmed_at, new_confirmed_at
from email_change
where tenant_id = $1 and person_id = $2
