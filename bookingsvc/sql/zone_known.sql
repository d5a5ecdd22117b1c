-- SPDX-License-Identifier: Apache-2.0
-- $1 a zone's name, spelt as tzdata does
select exists (select from pg_timezone_names where name = $1)
