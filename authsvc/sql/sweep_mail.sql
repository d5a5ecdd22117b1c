-- SPDX-License-Identifier: Apache-2.0
-- $1 expired before, $2 limit. Under the jobs role, across tenants.
delete from mail
where id in (select id from mail where expires_at < $1 limit $2)
