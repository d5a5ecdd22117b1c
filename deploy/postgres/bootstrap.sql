-- SPDX-License-Identifier: Apache-2.0
-- What migrations may take for granted, in database berth: the extension, a schema per service, three roles per service.
-- Run by the superuser at every `up`; every statement may be repeated. Rows of (role prefix, schema, passwords) come before
-- this file in the temporary table bootstrap_service.
--
--   <service>_owner  owns the schema and its tables; used by `<service> --migrate` only
--   <service>_app    the serving process: rows of its own schema, no DDL
--   <service>_jobs   background work across tenants: sees the schema; each table is granted by the migration that means it

\set ON_ERROR_STOP on
set client_min_messages = warning;

begin;
revoke all on database berth from public;
revoke all on schema public from public;

create schema if not exists extensions;
create extension if not exists btree_gist schema extensions;

do $$
declare
	service record;
	kind text;
	role_name text;
begin
	for service in select * from pg_temp.bootstrap_service order by role_prefix loop
		foreach kind in array array['owner', 'app', 'jobs'] loop
			role_name := service.role_prefix || '_' || kind;
			if not exists (select from pg_roles where rolname = role_name) then
				execute format('create role %I', role_name);
			end if;
			execute format('alter role %I login nosuperuser nobypassrls nocreatedb nocreaterole noreplication inherit password %L',
				role_name, service.passwords ->> kind);
			execute format('alter role %I in database berth set search_path = %I, extensions', role_name, service.schema_name);
			execute format('grant connect on database berth to %I', role_name);
			execute format('grant usage on schema extensions to %I', role_name);
		end loop;

		execute format('create schema if not exists %I', service.schema_name);
		execute format('alter schema %I owner to %I', service.schema_name, service.role_prefix || '_owner');
		execute format('revoke all on schema %I from public', service.schema_name);
		execute format('grant usage on schema %I to %I, %I', service.schema_name, service.role_prefix || '_app', service.role_prefix || '_jobs');

		execute format('alter default privileges for role %I in schema %I grant select, insert, update, delete on tables to %I',
			service.role_prefix || '_owner', service.schema_name, service.role_prefix || '_app');
		execute format('alter default privileges for role %I in schema %I grant usage, select on sequences to %I',
			service.role_prefix || '_owner', service.schema_name, service.role_prefix || '_app');
	end loop;
end
$$;
commit;
