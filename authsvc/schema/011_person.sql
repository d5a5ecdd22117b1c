-- SPDX-License-Identifier: Apache-2.0
-- People. The three sealed columns are under the person's key; email_index is the blind index of the normalised
-- address.
create table person (
	id bigint generated always as identity,
	tenant_id uuid not null references tenant (id),
	public_id uuid not null,
	email bytea,
	email_index bytea check (octet_length(email_index) = 32),
	given_name bytea,
	family_name bytea,
	locale text not null check (locale in ('en', 'fr', 'nl')),
	status text not null check (status in ('invited', 'active', 'suspended', 'erased')),
	email_verified_at timestamptz,
	version bigint not null check (version > 0),
	created_at timestamptz not null,
	updated_at timestamptz not null,
	primary key (tenant_id, id),
	constraint person_public_id unique (tenant_id, public_id),
	constraint person_email unique (tenant_id, email_index),
	constraint person_erased check ((status = 'erased') = (email is null)
		and (email is null) = (email_index is null)
		and (status <> 'erased' or (given_name is null and family_name is null)))
);
alter table person enable row level security;
alter table person force row level security;
create policy tenant on person to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on person from :app_role;
grant select, insert on person to :app_role;
grant update (email, email_index, given_name, family_name, locale, status, email_verified_at, version, updated_at)
	on person to :app_role;

create table person_role (
	tenant_id uuid not null,
	person_id bigint not null,
	role text not null check (octet_length(role) between 1 and 23),
	granted_at timestamptz not null,
	granted_by uuid,
	primary key (tenant_id, person_id, role),
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create index person_role_role on person_role (tenant_id, role);
alter table person_role enable row level security;
alter table person_role force row level security;
create policy tenant on person_role to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on person_role from :app_role;
grant select, insert, delete on person_role to :app_role;

-- `encoded` is Argon2id's own text (RFC 9106) over the password keyed by the pepper of pepper_epoch.
create table credential (
	tenant_id uuid not null,
	person_id bigint not null,
	encoded text not null check (octet_length(encoded) between 20 and 200),
	pepper_epoch bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null,
	primary key (tenant_id, person_id),
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
alter table credential enable row level security;
alter table credential force row level security;
create policy tenant on credential to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on credential from :app_role;
grant select, insert, delete on credential to :app_role;
grant update (encoded, pepper_epoch, updated_at) on credential to :app_role;

-- Links sent by mail. The token itself is in the mail alone; here stands its keyed hash.
create table mail_link (
	id bigint generated always as identity,
	tenant_id uuid not null,
	person_id bigint not null,
	kind text not null check (kind in ('invitation', 'verification')),
	token_hash bytea not null check (octet_length(token_hash) = 32),
	created_at timestamptz not null,
	expires_at timestamptz not null,
	used_at timestamptz,
	primary key (tenant_id, id),
	constraint mail_link_token unique (tenant_id, token_hash),
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create index mail_link_person on mail_link (tenant_id, person_id);
create index mail_link_expires_at on mail_link (expires_at);
alter table mail_link enable row level security;
alter table mail_link force row level security;
create policy tenant on mail_link to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on mail_link for select to :jobs_role using (true);
create policy jobs_sweep on mail_link for delete to :jobs_role using (true);
revoke all on mail_link from :app_role;
grant select, insert, delete on mail_link to :app_role;
grant update (used_at) on mail_link to :app_role;
grant select (tenant_id, id, expires_at), delete on mail_link to :jobs_role;

-- Mails to be sent, by a job across tenants; recipient and content are sealed to the person.
create table mail (
	id bigint generated always as identity primary key,
	tenant_id uuid not null,
	public_id uuid not null,
	subject_id uuid not null,
	recipient bytea not null,
	content bytea not null,
	attempts integer not null default 0,
	next_at timestamptz not null,
	created_at timestamptz not null,
	expires_at timestamptz not null
);
create index mail_next_at on mail (next_at);
create index mail_subject on mail (tenant_id, subject_id);
alter table mail enable row level security;
alter table mail force row level security;
create policy tenant on mail to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs on mail to :jobs_role using (true) with check (true);
revoke all on mail from :app_role;
grant insert, delete, select (id, tenant_id, subject_id) on mail to :app_role;
grant select, delete, update (attempts, next_at) on mail to :jobs_role;
