-- SPDX-License-Identifier: Apache-2.0
-- A client of somebody else's is given nothing before the person has agreed to it.
alter table client
	add column third_party boolean not null default false;

-- What a person let a client have: all scopes agreed to so far, until the person withdraws them. Gone with the person and
-- with the client.
create table consent (
	id bigint generated always as identity,
	tenant_id uuid not null,
	public_id uuid not null,
	person_id bigint not null,
	client_id bigint not null,
	scope text not null check (octet_length(scope) between 1 and 2000),
	created_at timestamptz not null,
	changed_at timestamptz not null,
	primary key (tenant_id, id),
	constraint consent_public_id unique (tenant_id, public_id),
	constraint consent_pair unique (tenant_id, person_id, client_id),
	foreign key (tenant_id, person_id) references person (tenant_id, id),
	foreign key (tenant_id, client_id) references client (tenant_id, id) on delete cascade
);
create index consent_client on consent (tenant_id, client_id);
alter table consent enable row level security;
alter table consent force row level security;
create policy tenant on consent to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on consent from :app_role;
grant select, insert, delete on consent to :app_role;
grant update (scope, changed_at) on consent to :app_role;
