-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the group, $3 people who stay. Gives those who went.
delete from person_group_member m
using person p
where m.tenant_id = $1 and m.group_id = $2 and p.tenant_id = $1 and p.id = m.person_id and p.public_id <> all ($3::uuid[])
returning p.public_id
