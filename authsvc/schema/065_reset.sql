-- SPDX-License-Identifier: Apache-2.0
-- Links to choose a new password.
alter table mail_link drop constraint mail_link_kind_check;
alter table mail_link add constraint mail_link_kind_check check (kind in ('invitation', 'verification', 'reset'));
