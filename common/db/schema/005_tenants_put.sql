-- SPDX-License-Identifier: Apache-2.0
-- A batch writes the rows of several tenants in one statement: those that its transaction named beforehand, and no others. This allows
-- inserting alone, without `returning`, for which a row must be seen: seeing, changing and deleting go by the one tenant, as ever. The
-- sub-select is evaluated once for a statement, not for each row.
create policy tenants_put on outbox for insert to :app_role
	with check (tenant_id = any ((select nullif(current_setting('berth.tenants', true), '')::uuid[])::uuid[]));
