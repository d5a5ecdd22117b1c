-- SPDX-License-Identifier: Apache-2.0
-- Keys that sign tokens. They belong to no tenant, that is to a reserved one, like the key that seals their private parts.
-- A retired key has lost its private part and still verifies, until the last token it signed has run out.
create table signing_key (
	id bigint generated always as identity,
	tenant_id uuid not null check (tenant_id = 'ffffffff-ffff-7fff-bfff-ffffffffffff'),
	public_id uuid not null,
	kid text not null check (octet_length(kid) between 1 and 64),
	alg text not null check (alg in ('EdDSA', 'ES256', 'RS256')),
	state text not null check (state in ('next', 'active', 'retired')),
	jwk text not null,
	private_key bytea,
	created_at timestamptz not null,
	activated_at timestamptz,
	retired_at timestamptz,
	primary key (tenant_id, id),
	constraint signing_key_kid unique (tenant_id, kid),
	constraint signing_key_private check ((state = 'retired') = (private_key is null))
);
create unique index signing_key_one_active on signing_key (tenant_id, alg) where state = 'active';
create unique index signing_key_one_next on signing_key (tenant_id, alg) where state = 'next';
alter table signing_key enable row level security;
alter table signing_key force row level security;
create policy tenant on signing_key to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on signing_key from :app_role;
grant select, insert, delete on signing_key to :app_role;
grant update (state, private_key, activated_at, retired_at) on signing_key to :app_role;
