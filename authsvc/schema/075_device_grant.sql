-- SPDX-License-Identifier: Apache-2.0
-- A device that waits for a person to agree on another one (RFC 8628). Both codes stand here as keyed hashes only. A row
-- is gone when its tokens are given; what is left is the grant. The jobs role finds the tenant of a user code.
create table device_grant (
	id bigint generated always as identity,
	tenant_id uuid not null,
	public_id uuid not null,
	client_id bigint not null,
	device_code_hash bytea not null check (octet_length(device_code_hash) = 32),
	user_code_hash bytea not null check (octet_length(user_code_hash) = 32),
	scope text not null check (octet_length(scope) <= 255),
	resource text not null check (octet_length(resource) <= 63),
	created_at timestamptz not null,
	expires_at timestamptz not null,
	polled_at timestamptz,
	interval_s bigint not null check (interval_s between 1 and 3600),
	decided_at timestamptz,
	person_id bigint,
	auth_at timestamptz,
	acr text check (acr in ('1fa', '2fa', 'phr')),
	amr text check (octet_length(amr) <= 47),
	factor_id uuid,
	primary key (tenant_id, id),
	constraint device_grant_public_id unique (tenant_id, public_id),
	constraint device_grant_code unique (tenant_id, device_code_hash),
	constraint device_grant_person check (person_id is null or (decided_at is not null and auth_at is not null and acr is not null
		and amr is not null)),
	foreign key (tenant_id, client_id) references client (tenant_id, id) on delete cascade,
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create unique index device_grant_directory on device_grant (user_code_hash);
create index device_grant_expires_at on device_grant (expires_at);
create index device_grant_client on device_grant (tenant_id, client_id);
create index device_grant_person on device_grant (tenant_id, person_id);
alter table device_grant enable row level security;
alter table device_grant force row level security;
create policy tenant on device_grant to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_directory on device_grant for select to :jobs_role using (true);
create policy jobs_sweep on device_grant for delete to :jobs_role using (true);
revoke all on device_grant from :app_role;
grant select, insert, delete on device_grant to :app_role;
grant update (polled_at, interval_s, decided_at, person_id, auth_at, acr, amr, factor_id) on device_grant to :app_role;
grant select (tenant_id, id, user_code_hash, expires_at), delete on device_grant to :jobs_role;
