-- SPDX-License-Identifier: Apache-2.0
-- $1 over before, $2 limit. Under the jobs role, across tenants.
delete from revocation
where id in (select id from revocation where until_at < $1 and published_at is not null order by until_at limit $2)
