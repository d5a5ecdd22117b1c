-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the review, $3 items, $4 who certifies, $5 now. Tells of each whether they have it themselves, be it
-- by a group.
update access_review_item i
set certified_by = $4, certified_at = $5
where i.tenant_id = $1 and i.review_id = $2 and i.public_id = any ($3::uuid[])
returning exists (
	select from person p
	where p.tenant_id = $1 and p.public_id = $4 and (p.id = i.person_id or exists (
		select from role_grant g
		join person_group_member m on m.tenant_id = $1 and m.group_id = g.group_id
		where g.tenant_id = $1 and g.public_id = i.grant_id and m.person_id = p.id)))
