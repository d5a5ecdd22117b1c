-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 no, $3 name, $4 accessible, $5 charger, $6 status, $7 version
update spot set name = $3, accessible = $4, charger = $5, status = $6, version = $7 where tenant_id = $1 and no = $2
