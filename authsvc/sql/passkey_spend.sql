-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 challenge hash, $3 expires. No row: it was answered before.
insert into passkey_challenge (tenant_id, challenge_hash, expires_at)
values ($1, $2, $3)
on conflict on constraint passkey_challenge_once do nothing
returning id
