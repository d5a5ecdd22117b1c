-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 factor, $3 internal number of the person, $4 sealed data, $5 credential hash, $6 counter, $7 may be backed up,
-- $8 is backed up, $9 now. No row: somebody in the tenant has this credential already.
insert into factor (tenant_id, public_id, person_id, kind, data, credential_hash, counter, backup_eligible, backed_up,
	created_at, confirmed_at, used_at)
values ($1, $2, $3, 'passkey', $4, $5, $6, $7, $8, $9, $9, $9)
on conflict on constraint factor_credential do nothing
returning id
