-- SPDX-License-Identifier: Apache-2.0
-- The two-person rule of a tenant. rule_off_by: who asked for its end; a second person who asks the same ends it.
alter table tenant add column two_person_rule boolean not null default false;
alter table tenant add column rule_off_by uuid;
alter table tenant add column rule_off_at timestamptz;
grant update (two_person_rule, rule_off_by, rule_off_at) on tenant to :app_role;
