-- SPDX-License-Identifier: Apache-2.0
-- The directory of tenants. The jobs role reads it before a tenant is known (a slug on the sign-in page); a name is a
-- company's.
create table tenant (
	id uuid primary key,
	slug text not null check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
	name text not null check (octet_length(name) between 1 and 200),
	locale text not null check (locale in ('en', 'fr', 'nl')),
	registration_domain text check (octet_length(registration_domain) between 1 and 253),
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	updated_at timestamptz not null,
	constraint tenant_slug unique (slug)
);
alter table tenant enable row level security;
alter table tenant force row level security;
create policy tenant on tenant to :app_role
	using (id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_directory on tenant for select to :jobs_role using (true);
revoke all on tenant from :app_role;
grant select, insert on tenant to :app_role;
grant update (name, locale, registration_domain, version, updated_at) on tenant to :app_role;
grant select on tenant to :jobs_role;

-- OAuth 2.0 clients. Lists are separated by blanks: none of their words can hold one. The jobs role finds a client's
-- tenant.
create table client (
	id bigint generated always as identity,
	tenant_id uuid not null references tenant (id),
	public_id uuid not null,
	name text not null check (octet_length(name) between 1 and 100),
	kind text not null check (kind in ('confidential', 'public')),
	secret_hash bytea check (octet_length(secret_hash) = 32),
	redirect_uris text not null,
	grants text not null,
	permissions text not null,
	id_token_alg text not null check (id_token_alg in ('ES256', 'RS256')),
	created_at timestamptz not null,
	deleted_at timestamptz,
	primary key (tenant_id, id),
	constraint client_public_id unique (tenant_id, public_id),
	constraint client_secret check ((kind = 'confidential') = (secret_hash is not null))
);
create unique index client_directory on client (public_id);
alter table client enable row level security;
alter table client force row level security;
create policy tenant on client to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_directory on client for select to :jobs_role using (true);
create policy jobs_sweep on client for delete to :jobs_role using (true);
revoke all on client from :app_role;
grant select, insert, update (deleted_at) on client to :app_role;
grant select (public_id, tenant_id, id, deleted_at), delete on client to :jobs_role;
