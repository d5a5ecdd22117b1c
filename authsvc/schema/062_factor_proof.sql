-- SPDX-License-Identifier: Apache-2.0
-- By which factor a sign-in was proved, so that what it proved can end with it. Null: by the password alone, by a
-- recovery code, or before this was kept.
alter table session add column factor_id uuid;
alter table grant_family add column factor_id uuid;
alter table authorization_code add column factor_id uuid;
grant update (factor_id) on session to :app_role;
grant update (acr, amr, factor_id) on grant_family to :app_role;
grant update (acr, amr, factor_id) on authorization_code to :app_role;

-- Used codes are swept, by the jobs role and across tenants; those that are left count for their person.
create index recovery_code_used_at on recovery_code (used_at) where used_at is not null;
create policy jobs_read on recovery_code for select to :jobs_role using (true);
create policy jobs_sweep on recovery_code for delete to :jobs_role using (true);
grant select (tenant_id, id, used_at), delete on recovery_code to :jobs_role;
