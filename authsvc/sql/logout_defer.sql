-- SPDX-License-Identifier: Apache-2.0
-- $1 internal number, $2 not again before
update logout_notice
set next_at = $2
where id = $1
