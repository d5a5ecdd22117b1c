-- SPDX-License-Identifier: Apache-2.0
-- $1 place of the first, $2 hashes
insert into log_nodes (first_place, hashes) values ($1, $2)
