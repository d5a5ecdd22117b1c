-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 subject
delete from mail
where tenant_id = $1 and subject_id = $2
