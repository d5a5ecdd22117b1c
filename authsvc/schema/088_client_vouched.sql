-- SPDX-License-Identifier: Apache-2.0
-- A client that people are not asked about gets no more of anybody than whoever registered it could do: permissions beyond an
-- Admin's that they had, by their names. Those of the deployment's own file, made within a moment of their tenant, have
-- them all.
alter table client add column vouched text not null default '' check (octet_length(vouched) <= 4000);
update client c
set vouched = 'tenant.own platform.operate'
from tenant t
where t.id = c.tenant_id and c.created_at <= t.created_at + interval '1 minute';
grant update (vouched) on client to :app_role;
