-- SPDX-License-Identifier: Apache-2.0
-- Which environment this database belongs to, said once by the first migration run; a process of another one refuses it.
create table deployment (
	only_row boolean primary key default true check (only_row),
	env text not null check (env <> '')
);

grant usage on schema :schema to :app_role, :jobs_role;
grant select on deployment, schema_version to :app_role, :jobs_role;
