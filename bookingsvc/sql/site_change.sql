-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 no, $3 name, $4 version
update site set name = $3, version = $4 where tenant_id = $1 and no = $2
