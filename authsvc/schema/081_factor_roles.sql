-- SPDX-License-Identifier: Apache-2.0
-- Roles of whose holders a second factor is demanded for all that they do; names separated by blanks, built-in or the tenant's own.
alter table tenant add column factor_roles text not null default '' check (octet_length(factor_roles) <= 2048);
grant update (factor_roles) on tenant to :app_role;
