-- SPDX-License-Identifier: Apache-2.0
select service, last_run_at, rows from retention_run order by service
