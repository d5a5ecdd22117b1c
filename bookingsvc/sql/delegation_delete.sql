-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id
delete from delegation where tenant_id = $1 and id = $2 returning id, assistant_id, principal_id, created_at
