-- SPDX-License-Identifier: Apache-2.0
-- $1 expired before, $2 limit. Under the jobs role, across tenants.
delete from logout_notice
where id in (select id from logout_notice where expires_at < $1 limit $2)
