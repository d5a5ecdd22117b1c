-- $1 the newest epoch, $2 how many
select tenant_id, subject_id, epoch, wrapped
from person_keys
where wrapped is not null and epoch < $1
order by epoch
limit $2
for update skip locked
