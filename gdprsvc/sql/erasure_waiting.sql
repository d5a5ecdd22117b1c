-- SPDX-License-Identifier: Apache-2.0
select count(*), coalesce(min(requested_at), now()) from erasure where pending <> 0
