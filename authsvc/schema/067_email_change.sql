-- SPDX-License-Identifier: Apache-2.0
-- An address that is to take the place of a person's: it does once the mailed links of both were followed. The address is
-- sealed under the person's key; of the tokens their keyed hashes stand here.
create table email_change (
	id bigint generated always as identity,
	tenant_id uuid not null,
	public_id uuid not null,
	person_id bigint not null,
	email bytea not null,
	old_token_hash bytea not null check (octet_length(old_token_hash) = 32),
	new_token_hash bytea not null check (octet_length(new_token_hash) = 32),
	old_confirmed_at timestamptz,
	new_confirmed_at timestamptz,
	created_at timestamptz not null,
	expires_at timestamptz not null,
	primary key (tenant_id, id),
	constraint email_change_person unique (tenant_id, person_id),
	constraint email_change_old_token unique (tenant_id, old_token_hash),
	constraint email_change_new_token unique (tenant_id, new_token_hash),
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create index email_change_expires_at on email_change (expires_at);
alter table email_change enable row level security;
alter table email_change force row level security;
create policy tenant on email_change to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on email_change for select to :jobs_role using (true);
create policy jobs_sweep on email_change for delete to :jobs_role using (true);
revoke all on email_change from :app_role;
grant select, insert, delete on email_change to :app_role;
grant update (old_confirmed_at, new_confirmed_at) on email_change to :app_role;
grant select (tenant_id, id, expires_at), delete on email_change to :jobs_role;
