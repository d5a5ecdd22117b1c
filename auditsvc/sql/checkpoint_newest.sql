-- SPDX-License-Identifier: Apache-2.0
select size, origin, root_hash, signed_at, signature, public_key from checkpoint order by size desc limit 1
