-- SPDX-License-Identifier: Apache-2.0
-- Stays, live and ended, in one table that is not partitioned: an exclusion constraint cannot span partitions.
--   status      1 confirmed, 2 checked in, 3 completed, 4 cancelled
--   held_until  the end that the constraints see: ends_at, or the departure when that was earlier
--   person_no, created_by_no, note: gone when the person is erased or the stay has been kept long enough
-- Intervals are half-open. An empty interval (left before the start) holds nothing.
create table booking (
	tenant_id uuid not null,
	id uuid not null,
	site_no bigint not null,
	area_no bigint not null,
	spot_no bigint,
	person_no bigint,
	created_by_no bigint,
	starts_at timestamptz not null,
	ends_at timestamptz not null,
	held_until timestamptz not null,
	created_at timestamptz not null,
	checked_in_at timestamptz,
	checked_out_at timestamptz,
	cancelled_at timestamptz,
	policy_version bigint not null check (policy_version > 0),
	version bigint not null check (version > 0),
	status smallint not null check (status between 1 and 4),
	reason text check (octet_length(reason) between 1 and 60),
	note bytea,
	primary key (tenant_id, id),
	constraint booking_interval check (starts_at < ends_at and ends_at - starts_at <= interval '31 days'
		and held_until between starts_at and ends_at),
	constraint booking_cancelled check ((status = 4) = (cancelled_at is not null)),
	constraint booking_spot foreign key (tenant_id, spot_no) references spot (tenant_id, no),
	constraint booking_person foreign key (tenant_id, person_no) references person (tenant_id, no),
	constraint booking_spot_free exclude using gist (spot_no with =, tstzrange(starts_at, held_until) with &&)
		where (spot_no is not null and status <> 4),
	constraint booking_person_free exclude using gist (person_no with =, tstzrange(starts_at, held_until) with &&)
		where (person_no is not null and status <> 4)
);
-- Row security lets no range operator become an index condition: reads ask these with starts_at between two bounds.
create index booking_of_spot on booking (tenant_id, spot_no, starts_at) where spot_no is not null and status <> 4;
create index booking_of_pool on booking (tenant_id, area_no, starts_at) where spot_no is null and status <> 4;
create index booking_of_person on booking (tenant_id, person_no, starts_at, id) where person_no is not null;
create index booking_for_other on booking (tenant_id, created_by_no) where created_by_no is distinct from person_no;
create index booking_by_start on booking (tenant_id, starts_at, id);
create index booking_by_end on booking using brin (ends_at) with (autosummarize = on);

alter table booking enable row level security;
alter table booking force row level security;
create policy tenant on booking to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
-- Retention looks for tenants that have something due; the change itself is made as the tenant.
create policy jobs_due on booking for select to :jobs_role using (true);
revoke all on booking from :app_role;
grant select, insert on booking to :app_role;
grant update (spot_no, person_no, created_by_no, starts_at, ends_at, held_until, checked_in_at, checked_out_at, cancelled_at, version,
	status, reason, note) on booking to :app_role;
grant select (tenant_id, ends_at, person_no, created_by_no) on booking to :jobs_role;
