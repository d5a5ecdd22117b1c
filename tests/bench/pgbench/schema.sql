-- SPDX-License-Identifier: Apache-2.0
-- The smallest equivalent of a booking: a row under the exclusion constraint, and a row in an outbox.
create extension btree_gist;

create table booking (
	id uuid primary key,
	tenant_id uuid not null,
	spot_no bigint not null,
	starts_at timestamptz not null,
	ends_at timestamptz not null,
	constraint booking_spot_free exclude using gist (spot_no with =, tstzrange(starts_at, ends_at) with &&)
);

create table outbox (
	seq bigint generated always as identity primary key,
	tenant_id uuid not null,
	object_id uuid not null,
	action text not null,
	payload bytea not null
);
