-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 blind index of the normalised address. One statement, whether the person exists or not.
select p.id, p.public_id, p.status, p.email_verified_at, c.encoded, c.pepper_epoch
from person p
join credential c on c.tenant_id = $1 and c.person_id = p.id
where p.tenant_id = $1 and p.email_index = $2
