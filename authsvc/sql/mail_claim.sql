-- SPDX-License-Identifier: Apache-2.0
-- $1 now, $2 not again before. Under the jobs role, across tenants; other replicas take other rows.
update mail
set attempts = attempts + 1, next_at = $2
where id = (select id from mail where next_at <= $1 order by next_at limit 1 for update skip locked)
returning id, tenant_id, public_id, subject_id, recipient, content, attempts, expires_at
