-- SPDX-License-Identifier: Apache-2.0
-- $1 size, $2 peaks
update log_head set size = $1, peaks = $2
