-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 people: a row for each that has one, in no order. Without a join, which would cost more than looking up one or two.
select id, no from person where tenant_id = $1 and id = any ($2)
