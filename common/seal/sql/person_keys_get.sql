-- $1 tenant, $2 subjects
select u.i, k.epoch, k.wrapped
from unnest($2::uuid[]) with ordinality as u (subject_id, i)
join person_keys k on k.tenant_id = $1 and k.subject_id = u.subject_id
