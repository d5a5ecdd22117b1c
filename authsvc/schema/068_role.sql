-- SPDX-License-Identifier: Apache-2.0
-- Roles that a tenant made for itself; person_role names them as it names the built-in ones, so a name never changes.
-- `permissions` are names separated by blanks. Nothing here is about a person.
create table role (
	tenant_id uuid not null references tenant (id),
	public_id uuid not null,
	name text not null check (name ~ '^[A-Za-z0-9_-]{1,23}$'),
	help text not null check (octet_length(help) <= 200),
	permissions text not null check (octet_length(permissions) <= 8192),
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	updated_at timestamptz not null,
	primary key (tenant_id, public_id),
	constraint role_name unique (tenant_id, name)
);
alter table role enable row level security;
alter table role force row level security;
create policy tenant on role to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on role from :app_role;
grant select, insert, delete, update (help, permissions, version, updated_at) on role to :app_role;
