-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 hash of the device code, $3 internal number of the client. Two who ask at once stand in line here.
select d.id, d.scope, d.resource, d.expires_at, d.polled_at, d.interval_s, d.decided_at, d.person_id, d.auth_at, d.acr, d.amr, d.factor_id
from device_grant d
where d.tenant_id = $1 and d.device_code_hash = $2 and d.client_id = $3
for update of d
