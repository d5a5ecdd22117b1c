-- One relay for each schema; held by the session, gone with it.
select pg_try_advisory_lock(hashtextextended('berth.outbox.' || current_schema(), 0))
