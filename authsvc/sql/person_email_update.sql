-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 address, sealed, $4 blind index, $5 now. The address is proved.
update person
set email = $3, email_index = $4, email_verified_at = $5, version = version + 1, updated_at = $5
where tenant_id = $1 and id = $2
returning version
