-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 person: how many events hold documents of theirs
select count(*) from event e
where e.tenant_id = $1 and e.subject_id = $2 and (e.before_digest is not null or e.after_digest is not null)
