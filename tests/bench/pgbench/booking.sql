-- SPDX-License-Identifier: Apache-2.0
-- One booking. n counts on in each client and starts where the run before left room; each client has eight spots of its own.
\set n :n + 1
\set spot :client_id * 8 + :n % 8
\set tenant :client_id % :tenants
BEGIN;
INSERT INTO booking (id, tenant_id, spot_no, starts_at, ends_at) VALUES (gen_random_uuid(), lpad(to_hex(:tenant::bigint), 32, '0')::uuid, :spot::bigint, timestamptz '2030-01-01 00:00:00Z' + :n::bigint * interval '1 minute', timestamptz '2030-01-01 00:00:00Z' + (:n::bigint + 1) * interval '1 minute');
INSERT INTO outbox (tenant_id, object_id, action, payload) VALUES (lpad(to_hex(:tenant::bigint), 32, '0')::uuid, gen_random_uuid(), 'booking.create', decode('7b7d', 'hex'));
COMMIT;
