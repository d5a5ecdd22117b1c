-- SPDX-License-Identifier: Apache-2.0
-- As for the outbox (005): a batch of bookings of several tenants is one statement.
create policy tenants_put on booking for insert to :app_role
	with check (tenant_id = any ((select nullif(current_setting('berth.tenants', true), '')::uuid[])::uuid[]));
