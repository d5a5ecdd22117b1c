-- SPDX-License-Identifier: Apache-2.0
-- A role granted for the people of a group. Grants are found by what they are for: when a person is erased, when a group changes.
alter table role_grant drop constraint role_grant_scope_check;
alter table role_grant add constraint role_grant_scope_check check (scope in ('tenant', 'site', 'area', 'principal', 'group'));
create index role_grant_scope_id on role_grant (tenant_id, scope_id) where scope_id is not null;
