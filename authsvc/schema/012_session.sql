-- SPDX-License-Identifier: Apache-2.0
-- Sign-ins of browsers. The handle is in the cookie alone; here stands its keyed hash.
create table session (
	id bigint generated always as identity,
	tenant_id uuid not null,
	public_id uuid not null,
	person_id bigint not null,
	handle_hash bytea not null check (octet_length(handle_hash) = 32),
	auth_at timestamptz not null,
	created_at timestamptz not null,
	seen_at timestamptz not null,
	expires_at timestamptz not null,
	ended_at timestamptz,
	primary key (tenant_id, id),
	constraint session_handle unique (tenant_id, handle_hash),
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create index session_person on session (tenant_id, person_id);
create index session_expires_at on session (expires_at);
alter table session enable row level security;
alter table session force row level security;
create policy tenant on session to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on session for select to :jobs_role using (true);
create policy jobs_sweep on session for delete to :jobs_role using (true);
revoke all on session from :app_role;
grant select, insert, delete on session to :app_role;
grant update (handle_hash, auth_at, seen_at, expires_at, ended_at) on session to :app_role;
grant select (tenant_id, id, expires_at), delete on session to :jobs_role;

-- An authorization request that waits for its sign-in; without a client, a sign-in for its own sake. The parameters
-- are sealed under the tenant's key: a login_hint is an address, and what a client puts in `state` is not known.
create table authorization_request (
	id bigint generated always as identity,
	tenant_id uuid not null,
	public_id uuid not null,
	handle_hash bytea not null check (octet_length(handle_hash) = 32),
	client_id bigint,
	parameters bytea,
	created_at timestamptz not null,
	expires_at timestamptz not null,
	primary key (tenant_id, id),
	constraint authorization_request_handle unique (tenant_id, handle_hash),
	foreign key (tenant_id, client_id) references client (tenant_id, id) on delete cascade
);
create index authorization_request_expires_at on authorization_request (expires_at);
create index authorization_request_client on authorization_request (tenant_id, client_id);
alter table authorization_request enable row level security;
alter table authorization_request force row level security;
create policy tenant on authorization_request to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on authorization_request for select to :jobs_role using (true);
create policy jobs_sweep on authorization_request for delete to :jobs_role using (true);
revoke all on authorization_request from :app_role;
grant select, insert, delete on authorization_request to :app_role;
grant select (tenant_id, id, expires_at), delete on authorization_request to :jobs_role;

-- What one person let one client do from one sign-in; `sid` of its tokens is public_id. A refresh token is computed
-- from the family, its generation and its salt under a key that stands in no database, so nothing here is worth
-- stealing; only the newest generation is good.
create table grant_family (
	id bigint generated always as identity,
	tenant_id uuid not null,
	public_id uuid not null,
	person_id bigint not null,
	client_id bigint not null,
	session_id bigint,
	scope text not null check (octet_length(scope) <= 255),
	auth_at timestamptz not null,
	created_at timestamptz not null,
	refresh_salt bytea check (octet_length(refresh_salt) = 32),
	generation bigint not null,
	rotated_at timestamptz not null,
	expires_at timestamptz not null,
	revoked_at timestamptz,
	revoked_for text check (octet_length(revoked_for) between 1 and 40),
	primary key (tenant_id, id),
	constraint grant_family_public_id unique (tenant_id, public_id),
	foreign key (tenant_id, person_id) references person (tenant_id, id),
	foreign key (tenant_id, client_id) references client (tenant_id, id),
	foreign key (tenant_id, session_id) references session (tenant_id, id) on delete set null (session_id)
);
create index grant_family_person on grant_family (tenant_id, person_id);
create index grant_family_client on grant_family (tenant_id, client_id);
create index grant_family_session on grant_family (tenant_id, session_id);
create index grant_family_expires_at on grant_family (expires_at);
alter table grant_family enable row level security;
alter table grant_family force row level security;
create policy tenant on grant_family to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on grant_family for select to :jobs_role using (true);
create policy jobs_sweep on grant_family for delete to :jobs_role using (true);
revoke all on grant_family from :app_role;
grant select, insert, delete on grant_family to :app_role;
grant update (generation, rotated_at, revoked_at, revoked_for) on grant_family to :app_role;
grant select (tenant_id, id, client_id, expires_at), delete on grant_family to :jobs_role;

-- A used code stays until it can no longer tell of a theft.
create table authorization_code (
	id bigint generated always as identity,
	tenant_id uuid not null,
	code_hash bytea not null check (octet_length(code_hash) = 32),
	client_id bigint not null,
	person_id bigint not null,
	session_id bigint,
	redirect_uri text not null,
	scope text not null check (octet_length(scope) <= 255),
	nonce text,
	code_challenge text not null,
	auth_at timestamptz not null,
	created_at timestamptz not null,
	expires_at timestamptz not null,
	used_at timestamptz,
	family_id bigint,
	primary key (tenant_id, id),
	constraint authorization_code_hash unique (tenant_id, code_hash),
	foreign key (tenant_id, client_id) references client (tenant_id, id) on delete cascade,
	foreign key (tenant_id, person_id) references person (tenant_id, id),
	foreign key (tenant_id, session_id) references session (tenant_id, id) on delete set null (session_id),
	foreign key (tenant_id, family_id) references grant_family (tenant_id, id) on delete set null (family_id)
);
create index authorization_code_expires_at on authorization_code (expires_at);
create index authorization_code_person on authorization_code (tenant_id, person_id);
create index authorization_code_session on authorization_code (tenant_id, session_id);
create index authorization_code_client on authorization_code (tenant_id, client_id);
create index authorization_code_family on authorization_code (tenant_id, family_id);
alter table authorization_code enable row level security;
alter table authorization_code force row level security;
create policy tenant on authorization_code to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on authorization_code for select to :jobs_role using (true);
create policy jobs_sweep on authorization_code for delete to :jobs_role using (true);
revoke all on authorization_code from :app_role;
grant select, insert, delete on authorization_code to :app_role;
grant update (used_at, family_id) on authorization_code to :app_role;
grant select (tenant_id, id, expires_at), delete on authorization_code to :jobs_role;

-- Access tokens that ended before their time: the truth behind the stream that the edge reads. A job publishes across
-- tenants.
create table revocation (
	id bigint generated always as identity primary key,
	tenant_id uuid not null,
	kind text not null check (kind in ('session', 'token', 'person', 'client', 'tenant')),
	object_id uuid not null,
	before_at timestamptz not null,
	until_at timestamptz not null,
	published_at timestamptz
);
create index revocation_object on revocation (tenant_id, object_id);
create index revocation_until_at on revocation (until_at);
create index revocation_unpublished on revocation (id) where published_at is null;
alter table revocation enable row level security;
alter table revocation force row level security;
create policy tenant on revocation to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs on revocation to :jobs_role using (true) with check (true);
revoke all on revocation from :app_role;
grant select, insert on revocation to :app_role;
grant select, update (published_at), delete on revocation to :jobs_role;
