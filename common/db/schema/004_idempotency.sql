-- SPDX-License-Identifier: Apache-2.0
-- Answers already given, by the hash of the client's key; `reply` is sealed to the person. Rows live for 24 hours.
create table idempotency (
	tenant_id uuid not null,
	person_id uuid not null,
	operation integer not null,
	key_hash bytea not null check (octet_length(key_hash) = 32),
	body_hash bytea not null check (octet_length(body_hash) = 32),
	created_at timestamptz not null,
	status integer,
	reply bytea,
	primary key (tenant_id, person_id, operation, key_hash)
);
create index idempotency_created_at on idempotency (created_at);

alter table idempotency enable row level security;
alter table idempotency force row level security;
create policy tenant on idempotency to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on idempotency for select to :jobs_role using (true);
create policy jobs_sweep on idempotency for delete to :jobs_role using (true);

grant select, insert, update (status, reply), delete on idempotency to :app_role;
grant select, delete on idempotency to :jobs_role;
