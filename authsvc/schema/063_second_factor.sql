-- SPDX-License-Identifier: Apache-2.0
-- Of whom a tenant demands a second factor. New tenants: of staff. Those that were here before keep what they had until
-- their Admin says otherwise, since nobody could have set up a factor yet.
alter table tenant add column second_factor text not null default 'optional'
	check (second_factor in ('optional', 'staff', 'all'));
alter table tenant alter column second_factor set default 'staff';
grant update (second_factor) on tenant to :app_role;
