-- SPDX-License-Identifier: Apache-2.0
-- authsvc alone knows whether there is such a person and whether they may go. Until it has agreed, once, the row is an intention that
-- may be withdrawn; from then on it is the ledger's, and nobody who serves can delete it or change one that is complete.
alter table erasure add column accepted_at timestamptz;
alter table erasure no force row level security;
update erasure set accepted_at = requested_at where pending <> 7;
alter table erasure force row level security;
alter table erasure add constraint erasure_accepted check (accepted_at is not null or pending = 7);

drop policy tenant on erasure;
create policy tenant_read on erasure for select to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy tenant_ask on erasure for insert to :app_role
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy tenant_run on erasure for update to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid and pending <> 0)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy tenant_withdraw on erasure for delete to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid and accepted_at is null);
grant update (accepted_at) on erasure to :app_role;

-- A sweep that failed is tried again later, not at once.
alter table retention_run add column retry_at timestamptz;
