-- SPDX-License-Identifier: Apache-2.0
-- $1 service
update retention_run set claimed_until = null where service = $1
