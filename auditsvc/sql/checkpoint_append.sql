-- SPDX-License-Identifier: Apache-2.0
-- $1 size, $2 origin, $3 root, $4 when, $5 signature, $6 public key
insert into checkpoint (size, origin, root_hash, signed_at, signature, public_key) values ($1, $2, $3, $4, $5, $6)
on conflict (size) do nothing
