-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 id; only while nothing anywhere has changed
delete from erasure where tenant_id = $1 and id = $2 and accepted_at is null
