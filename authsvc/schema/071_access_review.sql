-- SPDX-License-Identifier: Apache-2.0
-- Reviews of who may what: opened over what there is then, certified item by item, closed; what nobody certified goes.
create table access_review (
	id bigint generated always as identity,
	tenant_id uuid not null references tenant (id),
	public_id uuid not null,
	opened_by uuid not null,
	opened_at timestamptz not null,
	closed_by uuid,
	closed_at timestamptz,
	version bigint not null check (version > 0),
	primary key (tenant_id, id),
	constraint access_review_public_id unique (tenant_id, public_id)
);
create index access_review_closed_at on access_review (closed_at);
alter table access_review enable row level security;
alter table access_review force row level security;
create policy tenant on access_review to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
create policy jobs_read on access_review for select to :jobs_role using (true);
create policy jobs_sweep on access_review for delete to :jobs_role using (true);
revoke all on access_review from :app_role;
grant select, insert, update (closed_by, closed_at, version) on access_review to :app_role;
grant select (tenant_id, id, closed_at), delete on access_review to :jobs_role;

-- A role of a person, or a grant to a person or a group. person_id is null of a group's grant.
create table access_review_item (
	id bigint generated always as identity,
	tenant_id uuid not null,
	public_id uuid not null,
	review_id bigint not null,
	person_id bigint,
	role text not null,
	grant_id uuid,
	certified_by uuid,
	certified_at timestamptz,
	outcome text check (outcome in ('certified', 'revoked', 'gone', 'last', 'above')),
	primary key (tenant_id, id),
	constraint access_review_item_public_id unique (tenant_id, public_id),
	foreign key (tenant_id, review_id) references access_review (tenant_id, id) on delete cascade,
	foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create index access_review_item_review on access_review_item (tenant_id, review_id);
create index access_review_item_person on access_review_item (tenant_id, person_id);
alter table access_review_item enable row level security;
alter table access_review_item force row level security;
create policy tenant on access_review_item to :app_role
	using (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid)
	with check (tenant_id = nullif(current_setting('berth.tenant', true), '')::uuid);
revoke all on access_review_item from :app_role;
grant select, insert, delete, update (certified_by, certified_at, outcome) on access_review_item to :app_role;
