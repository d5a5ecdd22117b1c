-- SPDX-License-Identifier: Apache-2.0
-- A number for each person who has ever stayed or booked, for constraints and joins; names and addresses are authsvc's. The row goes
-- when the person is erased.
create table person (
	no bigint generated always as identity,
	tenant_id uuid not null,
	id uuid not null,
	primary key (tenant_id, no),
	constraint person_id unique (tenant_id, id)
);
alter table person enable row level security;
alter table person force row level security;
create policy tenant on person to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on person from :app_role;
-- The right to change `id` is never used to do so: row locks ask for the right to update something.
grant select, insert, delete, update (id) on person to :app_role;

-- Who acts for whom.
create table delegation (
	tenant_id uuid not null,
	id uuid not null,
	assistant_id uuid not null,
	principal_id uuid not null,
	created_at timestamptz not null,
	primary key (tenant_id, id),
	constraint delegation_once unique (tenant_id, assistant_id, principal_id),
	constraint delegation_of_two check (assistant_id <> principal_id)
);
create index delegation_principal on delegation (tenant_id, principal_id);
alter table delegation enable row level security;
alter table delegation force row level security;
create policy tenant on delegation to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on delegation from :app_role;
grant select, insert, delete on delegation to :app_role;

-- plate and label are sealed to the person; plate_index is the blind index of the normalised plate.
create table vehicle (
	tenant_id uuid not null,
	id uuid not null,
	person_id uuid not null,
	plate_index bytea not null check (octet_length(plate_index) = 32),
	country text not null check (country ~ '^[A-Z]{2}$'),
	plate bytea not null,
	label bytea,
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	primary key (tenant_id, id),
	constraint vehicle_plate unique (tenant_id, plate_index, country)
);
create index vehicle_person on vehicle (tenant_id, person_id, id);
alter table vehicle enable row level security;
alter table vehicle force row level security;
create policy tenant on vehicle to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on vehicle from :app_role;
grant select, insert, delete on vehicle to :app_role;
