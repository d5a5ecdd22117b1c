-- SPDX-License-Identifier: Apache-2.0
-- As for the outbox (005): what arrives together is appended together, of all its tenants in one statement.
create policy tenants_put on event for insert to :app_role
	with check (tenant_id = any ((select nullif(current_setting('berth.tenants', true), '')::uuid[])::uuid[]));
create policy tenants_put on content for insert to :app_role
	with check (tenant_id = any ((select nullif(current_setting('berth.tenants', true), '')::uuid[])::uuid[]));
