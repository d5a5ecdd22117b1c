-- SPDX-License-Identifier: Apache-2.0
-- The data key of each person (and of each tenant: subject nil), wrapped by the master key of `epoch`. A destroyed key's row
-- stays, empty, so that nothing makes a new one for an erased person.
create table person_keys (
	tenant_id uuid not null,
	subject_id uuid not null,
	epoch bigint not null,
	wrapped bytea,
	created_at timestamptz not null,
	destroyed_at timestamptz,
	primary key (tenant_id, subject_id),
	constraint person_keys_destroyed check ((wrapped is null) = (destroyed_at is not null))
);
create index person_keys_epoch on person_keys (epoch) where wrapped is not null;

alter table person_keys enable row level security;
alter table person_keys force row level security;
create policy tenant on person_keys to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on person_keys for select to :jobs_role using (true);
create policy jobs_rewrap on person_keys for update to :jobs_role using (true) with check (true);

grant select, insert on person_keys to :app_role;
grant update (wrapped, destroyed_at) on person_keys to :app_role;
grant select on person_keys to :jobs_role;
grant update (wrapped, epoch) on person_keys to :jobs_role;
