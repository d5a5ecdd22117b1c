-- $1 tenant, $2 subject, $3 now. An empty row also for a person who had no key here: nothing may make one afterwards.
insert into person_keys (tenant_id, subject_id, epoch, wrapped, created_at, destroyed_at)
values ($1, $2, 0, null, $3, $3)
on conflict (tenant_id, subject_id) do update
set wrapped = null, destroyed_at = excluded.destroyed_at
where person_keys.wrapped is not null
