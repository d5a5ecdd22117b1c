-- SPDX-License-Identifier: Apache-2.0
-- Clients that prove themselves by a key of their own (RFC 7523) hold public keys instead of a secret.
alter table client add column jwks text check (octet_length(jwks) <= 8192);
alter table client drop constraint client_secret;
alter table client add constraint client_proof
	check (num_nonnulls(secret_hash, jwks) = case kind when 'confidential' then 1 else 0 end);

-- Assertions that were used: each is good once, until it has expired.
create table client_assertion (
	id bigint generated always as identity,
	tenant_id uuid not null,
	client_id bigint not null,
	jti_hash bytea not null check (octet_length(jti_hash) = 32),
	expires_at timestamptz not null,
	primary key (tenant_id, id),
	constraint client_assertion_jti unique (tenant_id, client_id, jti_hash),
	foreign key (tenant_id, client_id) references client (tenant_id, id) on delete cascade
);
create index client_assertion_expires_at on client_assertion (expires_at);
alter table client_assertion enable row level security;
alter table client_assertion force row level security;
create policy tenant on client_assertion to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on client_assertion for select to :jobs_role using (true);
create policy jobs_sweep on client_assertion for delete to :jobs_role using (true);
revoke all on client_assertion from :app_role;
grant select, insert on client_assertion to :app_role;
grant select (tenant_id, id, expires_at), delete on client_assertion to :jobs_role;
