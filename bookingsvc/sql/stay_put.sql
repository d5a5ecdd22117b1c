-- SPDX-License-Identifier: Apache-2.0
-- $1 tenants, $2 now, then a column of each field. In one order, so that two batches cannot wait for each other crosswise; of two that
-- collide within a batch the first of this order wins. What collides is not counted. Not `returning`: no row of these is seen here.
insert into booking (tenant_id, created_at, id, site_no, area_no, spot_no, person_no, created_by_no, starts_at, ends_at, held_until,
	policy_version, version, status, note)
select u.tenant_id, $2, u.id, u.site_no, u.area_no, u.spot_no, u.person_no, u.created_by_no, u.starts_at, u.ends_at, u.ends_at,
	u.policy_version, 1, 1, u.note
from unnest($1::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::timestamptz[], $10::timestamptz[],
	$11::bigint[], $12::bytea[]) with ordinality
	as u (tenant_id, id, site_no, area_no, spot_no, person_no, created_by_no, starts_at, ends_at, policy_version, note, i)
order by u.tenant_id, u.spot_no, u.starts_at, u.i
on conflict do nothing
