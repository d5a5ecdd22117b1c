-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 hash of the device code, $3 internal number of the client. Two who ask at once stand in line here; whoever agreed first, as
-- those who end all that a person has open.
with agreed as materialized (
	select p.id
	from person p
	where p.tenant_id = $1 and p.id = (
		select person_id from device_grant where tenant_id = $1 and device_code_hash = $2 and client_id = $3)
	for key share of p)
select d.id, d.scope, d.resource, d.expires_at, d.polled_at, d.interval_s, d.decided_at, d.person_id, d.auth_at, d.acr, d.amr, d.factor_id
from device_grant d left join agreed on true
where d.tenant_id = $1 and d.device_code_hash = $2 and d.client_id = $3
for update of d
