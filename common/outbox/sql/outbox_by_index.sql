-- The table is empty whenever statistics are taken, so that its whole backlog looks cheaper to read than its index.
select set_config('enable_seqscan', 'off', true)
