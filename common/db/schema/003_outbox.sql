-- SPDX-License-Identifier: Apache-2.0
-- Audit events, committed with the change they tell of; the relay delivers and deletes them. `payload` is sealed, the rest is ids
-- and codes. Few rows wait for long, so there is no index but the order: each would cost every change.
create table outbox (
	seq bigint generated always as identity primary key,
	id uuid not null,
	tenant_id uuid not null,
	at timestamptz not null,
	actor_id uuid,
	client_id uuid,
	on_behalf_id uuid,
	subject_id uuid,
	object_id uuid,
	action text not null check (octet_length(action) between 1 and 64),
	object_type text not null check (octet_length(object_type) between 1 and 64),
	object_version bigint not null,
	request_id uuid,
	payload bytea,
	erased boolean not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

alter table outbox enable row level security;
alter table outbox force row level security;
create policy tenant_put on outbox for insert to :app_role
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy tenant_count on outbox for select to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on outbox for select to :jobs_role using (true);
create policy jobs_delete on outbox for delete to :jobs_role using (true);

grant insert, select (tenant_id, subject_id) on outbox to :app_role;
grant select, delete on outbox to :jobs_role;
