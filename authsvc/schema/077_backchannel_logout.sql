-- SPDX-License-Identifier: Apache-2.0
-- Clients that are told when a session ends (OpenID Connect Back-Channel Logout 1.0). A row stands for one client that got an
-- ID token in one session; it is written with the end of the session, and goes when the client has taken it. It names
-- session and person by the ids that the client knows, so it outlives both: an erased person is signed out there too.
alter table client
	add column backchannel_logout_uri text check (octet_length(backchannel_logout_uri) between 1 and 500),
	add column backchannel_session boolean not null default false;
grant select (backchannel_logout_uri, id_token_alg) on client to :jobs_role;

create table logout_notice (
	id bigint generated always as identity primary key,
	tenant_id uuid not null,
	client_id bigint not null,
	session_id uuid not null,
	subject_id uuid not null,
	attempts bigint not null default 0,
	next_at timestamptz not null,
	created_at timestamptz not null,
	expires_at timestamptz not null,
	constraint logout_notice_once unique (tenant_id, session_id, client_id),
	foreign key (tenant_id, client_id) references client (tenant_id, id) on delete cascade
);
create index logout_notice_next_at on logout_notice (next_at);
create index logout_notice_client on logout_notice (tenant_id, client_id);
create index logout_notice_subject on logout_notice (tenant_id, subject_id);
alter table logout_notice enable row level security;
alter table logout_notice force row level security;
create policy tenant on logout_notice to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs on logout_notice to :jobs_role using (true) with check (true);
revoke all on logout_notice from :app_role;
grant select, insert, delete on logout_notice to :app_role;
grant select, delete, update (attempts, next_at) on logout_notice to :jobs_role;
