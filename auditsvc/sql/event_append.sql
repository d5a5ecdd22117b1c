-- SPDX-License-Identifier: Apache-2.0
-- $1 tenants, $2 when appended, then one array for each column
insert into event (appended_at, tenant_id, leaf_index, id, at, service, action, object_type, object_id, object_version,
	actor_id, client_id, on_behalf_id, subject_id, request_id, before_digest, after_digest, erased, leaf_hash)
select $2, e.*
from unnest($1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) as e
