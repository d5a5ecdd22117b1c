-- SPDX-License-Identifier: Apache-2.0
-- $1 internal numbers, $2 now. Under the jobs role.
update revocation
set published_at = $2
where id = any ($1::bigint[])
