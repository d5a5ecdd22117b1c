-- SPDX-License-Identifier: Apache-2.0
-- $1 internal number
delete from mail
where id = $1
