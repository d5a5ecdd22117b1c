-- SPDX-License-Identifier: Apache-2.0
select size, peaks from log_head for update
