-- SPDX-License-Identifier: Apache-2.0
-- $1 id, $2 tenant, $3 person, $4 actor, $5 now, $6 accepted at or null
insert into erasure (id, tenant_id, person_id, actor_id, requested_at, accepted_at, next_try_at)
values ($1, $2, $3, $4, $5, $6, $5::timestamptz + interval '5 seconds')
on conflict (tenant_id, person_id) do nothing
