-- SPDX-License-Identifier: Apache-2.0
-- The log: one for the deployment, its leaves numbered from 0 without gaps. `event` holds what a leaf is made of and is never
-- changed, by nobody; the documents stand apart, sealed, so that they can go while leaves and proofs stay.
create table event (
	leaf_index bigint primary key check (leaf_index >= 0),
	tenant_id uuid not null,
	id uuid not null,
	appended_at timestamptz not null,
	at timestamptz not null,
	service text not null check (octet_length(service) between 1 and 20),
	action text not null check (octet_length(action) between 1 and 60),
	object_type text not null check (octet_length(object_type) between 1 and 40),
	object_id uuid not null,
	object_version bigint not null check (object_version >= 0),
	actor_id uuid,
	client_id uuid,
	on_behalf_id uuid,
	subject_id uuid,
	request_id uuid,
	before_digest bytea check (octet_length(before_digest) = 32),
	after_digest bytea check (octet_length(after_digest) = 32),
	erased boolean not null,
	leaf_hash bytea not null check (octet_length(leaf_hash) = 32),
	constraint event_id unique (tenant_id, id)
);
create index event_tenant on event (tenant_id, leaf_index);
create index event_object on event (tenant_id, object_id, leaf_index);
create index event_actor on event (tenant_id, actor_id, leaf_index) where actor_id is not null;
create index event_subject on event (tenant_id, subject_id, leaf_index) where subject_id is not null;
-- Leaves come nearly in the order of time: a summary of blocks is enough, and costs an append next to nothing.
create index event_at on event using brin (at);

alter table event enable row level security;
alter table event force row level security;
create policy tenant_read on event for select to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy tenant_append on event for insert to :app_role
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on event from :app_role;
grant select, insert on event to :app_role;

-- The documents, sealed to the event's subject (or to the tenant). A row goes when it was kept long enough.
create table content (
	tenant_id uuid not null,
	leaf_index bigint not null,
	appended_at timestamptz not null,
	before bytea,
	after bytea,
	primary key (tenant_id, leaf_index),
	check (before is not null or after is not null)
);
create index content_appended_at on content (appended_at);

alter table content enable row level security;
alter table content force row level security;
create policy tenant_read on content for select to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy tenant_append on content for insert to :app_role
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on content for select to :jobs_role using (true);
create policy jobs_retain on content for delete to :jobs_role using (true);
revoke all on content from :app_role;
grant select, insert on content to :app_role;
grant select (tenant_id, leaf_index, appended_at), delete on content to :jobs_role;
