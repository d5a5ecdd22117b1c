-- SPDX-License-Identifier: Apache-2.0
-- Passkeys are factors whose credential is found by a keyed hash of its id; key, id and name are in `data`, sealed. Whether
-- a key may be synchronised never changes, whether it is does.
alter table factor
	add column credential_hash bytea check (octet_length(credential_hash) = 32),
	add column backup_eligible boolean,
	add column backed_up boolean;
alter table factor add constraint factor_credential unique (tenant_id, credential_hash);
alter table factor add constraint factor_is_passkey
	check ((kind = 'passkey') = (credential_hash is not null and backup_eligible is not null and backed_up is not null));
grant update (backed_up) on factor to :app_role;

-- Challenges that were answered: each is good once, until it has expired. Those that were not stand nowhere.
create table passkey_challenge (
	id bigint generated always as identity,
	tenant_id uuid not null,
	challenge_hash bytea not null check (octet_length(challenge_hash) = 32),
	expires_at timestamptz not null,
	primary key (tenant_id, id),
	constraint passkey_challenge_once unique (tenant_id, challenge_hash)
);
create index passkey_challenge_expires_at on passkey_challenge (expires_at);
alter table passkey_challenge enable row level security;
alter table passkey_challenge force row level security;
create policy tenant on passkey_challenge to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on passkey_challenge for select to :jobs_role using (true);
create policy jobs_sweep on passkey_challenge for delete to :jobs_role using (true);
revoke all on passkey_challenge from :app_role;
grant select, insert on passkey_challenge to :app_role;
grant select (tenant_id, id, expires_at), delete on passkey_challenge to :jobs_role;
