-- SPDX-License-Identifier: Apache-2.0
-- $1 places. Gives their hashes in this order; shorter ones where the node is missing
select substring(n.hashes from ((w.place - n.first_place) * 32 + 1)::integer for 32)
from unnest($1) with ordinality as w (place, ord)
cross join lateral (
	select first_place, hashes from log_nodes where first_place <= w.place order by first_place desc limit 1
) n
order by w.ord
