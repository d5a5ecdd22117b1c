-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the person, $3 roles that stay
delete from person_role
where tenant_id = $1 and person_id = $2 and role <> all ($3::text[])
