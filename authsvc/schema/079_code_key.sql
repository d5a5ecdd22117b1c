-- SPDX-License-Identifier: Apache-2.0
-- The key by whose proof alone a code may be exchanged (RFC 9449 section 10), as a digest of it.
alter table authorization_code add column jkt text check (octet_length(jkt) = 43);
