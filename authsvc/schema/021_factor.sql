-- SPDX-License-Identifier: Apache-2.0
-- What a person shows beside the password. `data` is sealed under the person's key: the secret of an app, the public
-- key of a passkey. `counter` only rises: the last time step that was used, or the authenticator's own count. Without
-- confirmed_at it is being set up and proves nothing.
create table factor (
	id bigint generated always as identity,
	tenant_id uuid not null,
	public_id uuid not null,
	person_id bigint not null,
	kind text not null check (kind in ('totp', 'passkey')),
	data bytea not null,
	counter bigint not null default 0,
	created_at timestamptz not null,
	confirmed_at timestamptz,
	used_at timestamptz,
	primary key (tenant_id, id),
	constraint factor_public_id unique (tenant_id, public_id),
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create index factor_person on factor (tenant_id, person_id);
create index factor_unconfirmed on factor (created_at) where confirmed_at is null;
alter table factor enable row level security;
alter table factor force row level security;
create policy tenant on factor to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on factor for select to :jobs_role using (true);
create policy jobs_sweep on factor for delete to :jobs_role using (true);
revoke all on factor from :app_role;
grant select, insert, delete on factor to :app_role;
grant update (counter, confirmed_at, used_at) on factor to :app_role;
grant select (tenant_id, id, created_at, confirmed_at), delete on factor to :jobs_role;

-- Ten at a time, each good once. Keyed hashes; random, so that they need no slow one.
create table recovery_code (
	id bigint generated always as identity,
	tenant_id uuid not null,
	person_id bigint not null,
	code_hash bytea not null check (octet_length(code_hash) = 32),
	created_at timestamptz not null,
	used_at timestamptz,
	primary key (tenant_id, id),
	constraint recovery_code_hash unique (tenant_id, person_id, code_hash),
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
alter table recovery_code enable row level security;
alter table recovery_code force row level security;
create policy tenant on recovery_code to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on recovery_code from :app_role;
grant select, insert, delete on recovery_code to :app_role;
grant update (used_at) on recovery_code to :app_role;
