-- SPDX-License-Identifier: Apache-2.0
-- One replica at a time decides about keys.
select pg_advisory_xact_lock(hashtextextended('berth.signing_key', 0)) is not null
