-- SPDX-License-Identifier: Apache-2.0
-- Groups of people, and roles granted for a time, in a place, for a principal. Ids of places are bookingsvc's.
create table person_group (
	id bigint generated always as identity,
	tenant_id uuid not null references tenant (id),
	public_id uuid not null,
	name text not null check (octet_length(name) between 1 and 100),
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	updated_at timestamptz not null,
	primary key (tenant_id, id),
	constraint person_group_public_id unique (tenant_id, public_id),
	constraint person_group_name unique (tenant_id, name)
);
alter table person_group enable row level security;
alter table person_group force row level security;
create policy tenant on person_group to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on person_group from :app_role;
grant select, insert, delete, update (name, version, updated_at) on person_group to :app_role;

create table person_group_member (
	tenant_id uuid not null,
	group_id bigint not null,
	person_id bigint not null,
	added_at timestamptz not null,
	primary key (tenant_id, group_id, person_id),
	foreign key (tenant_id, group_id) references person_group (tenant_id, id) on delete cascade,
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create index person_group_member_person on person_group_member (tenant_id, person_id);
alter table person_group_member enable row level security;
alter table person_group_member force row level security;
create policy tenant on person_group_member to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on person_group_member from :app_role;
grant select, insert, delete on person_group_member to :app_role;

-- `reason` is sealed to subject_id: the person of the grant, or of a group's whoever asked for it. over_at is when it
-- ends by itself, or ended before.
create table role_grant (
	id bigint generated always as identity,
	tenant_id uuid not null references tenant (id),
	public_id uuid not null,
	person_id bigint,
	group_id bigint,
	role text not null check (octet_length(role) between 1 and 23),
	scope text not null check (scope in ('tenant', 'site', 'area', 'principal')),
	scope_id uuid,
	starts_at timestamptz not null,
	over_at timestamptz,
	status text not null check (status in ('pending', 'active', 'refused', 'revoked')),
	subject_id uuid not null,
	reason bytea not null,
	granted_by uuid not null,
	decided_by uuid,
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	primary key (tenant_id, id),
	constraint role_grant_public_id unique (tenant_id, public_id),
	constraint role_grant_to_one check ((person_id is null) <> (group_id is null)),
	constraint role_grant_scope check ((scope = 'tenant') = (scope_id is null)),
	foreign key (tenant_id, person_id) references person (tenant_id, id),
	foreign key (tenant_id, group_id) references person_group (tenant_id, id)
);
create index role_grant_person on role_grant (tenant_id, person_id);
create index role_grant_group on role_grant (tenant_id, group_id);
create index role_grant_over_at on role_grant (over_at);
alter table role_grant enable row level security;
alter table role_grant force row level security;
create policy tenant on role_grant to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on role_grant for select to :jobs_role using (true);
create policy jobs_sweep on role_grant for delete to :jobs_role using (true);
revoke all on role_grant from :app_role;
grant select, insert, delete, update (status, over_at, decided_by, version) on role_grant to :app_role;
grant select (tenant_id, id, over_at), delete on role_grant to :jobs_role;
