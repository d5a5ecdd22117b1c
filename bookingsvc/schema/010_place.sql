-- SPDX-License-Identifier: Apache-2.0
-- Where one can stay: sites, their areas, their spots. `no` is the number that joins and constraints run on, `id` the public one.
-- Nothing here is ever deleted: stays point at it for ever.
create table site (
	no bigint generated always as identity,
	tenant_id uuid not null,
	id uuid not null,
	name text not null check (octet_length(name) between 1 and 200),
	time_zone text not null check (octet_length(time_zone) between 1 and 64),
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	primary key (tenant_id, no),
	constraint site_id unique (tenant_id, id)
);
alter table site enable row level security;
alter table site force row level security;
create policy tenant on site to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on site from :app_role;
grant select, insert, update (name, version) on site to :app_role;

-- inventory: 1 named, 2 pooled. purpose: 1 parking, 2 desk, 3 room, 4 charger, 5 locker.
-- lookback_min: the longest stay that was ever allowed here, for reads that look back from an instant.
-- policy_version: counts changes of the rules (longest stay, window, capacity); each stay notes under which it was made.
create table area (
	no bigint generated always as identity,
	tenant_id uuid not null,
	id uuid not null,
	site_no bigint not null,
	name text not null check (octet_length(name) between 1 and 200),
	inventory smallint not null check (inventory in (1, 2)),
	purpose smallint not null check (purpose between 1 and 5),
	capacity integer check (capacity between 0 and 100000),
	longest_stay_min integer not null check (longest_stay_min between 1 and 44640),
	lookback_min integer not null check (lookback_min between longest_stay_min and 44640),
	window_days integer not null check (window_days between 1 and 730),
	policy_version bigint not null check (policy_version > 0),
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	primary key (tenant_id, no),
	constraint area_id unique (tenant_id, id),
	constraint area_site foreign key (tenant_id, site_no) references site (tenant_id, no),
	constraint area_capacity check ((inventory = 2) = (capacity is not null))
);
create index area_of_site on area (tenant_id, site_no, id);
create index area_lookback on area (tenant_id, lookback_min);
alter table area enable row level security;
alter table area force row level security;
create policy tenant on area to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on area from :app_role;
grant select, insert on area to :app_role;
grant update (name, capacity, longest_stay_min, lookback_min, window_days, policy_version, version) on area to :app_role;

-- status: 1 open, 2 closed.
create table spot (
	no bigint generated always as identity,
	tenant_id uuid not null,
	id uuid not null,
	area_no bigint not null,
	name text not null check (octet_length(name) between 1 and 100),
	accessible boolean not null,
	charger boolean not null,
	status smallint not null check (status in (1, 2)),
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	primary key (tenant_id, no),
	constraint spot_id unique (tenant_id, id),
	constraint spot_name unique (tenant_id, area_no, name),
	constraint spot_area foreign key (tenant_id, area_no) references area (tenant_id, no)
);
create index spot_of_area on spot (tenant_id, area_no, id);
alter table spot enable row level security;
alter table spot force row level security;
create policy tenant on spot to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on spot from :app_role;
grant select, insert, update (name, accessible, charger, status, version) on spot to :app_role;
