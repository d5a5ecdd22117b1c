-- SPDX-License-Identifier: Apache-2.0
-- The ledger of erasures: what a restore replays before it serves. Rows stay for ever and hold nothing but numbers that lead nowhere
-- once the erasure is complete. `pending` has one bit for each service that has not confirmed: 1 authsvc, 2 bookingsvc, 4 auditsvc.
create table erasure (
	key bigint generated always as identity primary key,
	id uuid not null,
	tenant_id uuid not null,
	person_id uuid not null,
	actor_id uuid,
	requested_at timestamptz not null,
	completed_at timestamptz,
	pending smallint not null default 7 check (pending between 0 and 7),
	attempts integer not null default 0,
	next_try_at timestamptz not null,
	constraint erasure_id unique (tenant_id, id),
	constraint erasure_person unique (tenant_id, person_id),
	constraint erasure_completed check ((pending = 0) = (completed_at is not null))
);
create index erasure_list on erasure (tenant_id, key);
create index erasure_pending on erasure (next_try_at) where pending <> 0;

alter table erasure enable row level security;
alter table erasure force row level security;
create policy tenant on erasure to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on erasure for select to :jobs_role using (true);
create policy jobs_delay on erasure for update to :jobs_role using (true) with check (true);

revoke all on erasure from :app_role;
grant select, insert, delete on erasure to :app_role;
grant update (pending, completed_at) on erasure to :app_role;
grant select on erasure to :jobs_role;
grant update (attempts, next_try_at) on erasure to :jobs_role;

-- When each service was swept last, for all tenants together: no tenant's data. `claimed_until` keeps replicas from sweeping at once.
create table retention_run (
	service text primary key,
	last_run_at timestamptz,
	rows bigint not null default 0,
	claimed_until timestamptz
);
insert into retention_run (service) values ('auditsvc'), ('authsvc'), ('bookingsvc');

revoke all on retention_run from :app_role;
grant select on retention_run to :app_role;
grant select, update on retention_run to :jobs_role;
