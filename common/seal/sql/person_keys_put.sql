-- $1 tenant, $2 subjects, $3 their wrapped keys, $4 epoch, $5 now. Sorted, so that two batches cannot wait for each other crosswise.
insert into person_keys (tenant_id, subject_id, epoch, wrapped, created_at)
select $1, u.subject_id, $4, u.wrapped, $5
from unnest($2::uuid[], $3::bytea[]) as u (subject_id, wrapped)
order by u.subject_id
on conflict do nothing
