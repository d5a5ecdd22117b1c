-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number, $3 now
update person
set email = null, email_index = null, given_name = null, family_name = null, email_verified_at = null, status = 'erased',
	version = version + 1, updated_at = $3
where tenant_id = $1 and id = $2
returning version
