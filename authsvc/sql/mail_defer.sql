-- SPDX-License-Identifier: Apache-2.0
-- $1 internal number, $2 not again before
update mail
set next_at = $2
where id = $1
