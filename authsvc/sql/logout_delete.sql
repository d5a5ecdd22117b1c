-- SPDX-License-Identifier: Apache-2.0
-- $1 internal number
delete from logout_notice
where id = $1
