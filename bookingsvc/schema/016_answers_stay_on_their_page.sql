-- SPDX-License-Identifier: Apache-2.0
-- A claim of an idempotency key is a fifth as long as the row with its answer, which comes in the same transaction. Pages that are filled with
-- claims alone have no room for it: each answer went to another page, and so into both indexes again.
alter table idempotency set (fillfactor = 20);
