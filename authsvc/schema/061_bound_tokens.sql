-- SPDX-License-Identifier: Apache-2.0
-- Tokens bound to a client's key (RFC 9449): clients that get no others, and refresh tokens of public clients. A thumbprint is a
-- digest of a public key.
alter table client add column dpop_bound boolean not null default false;
alter table grant_family add column jkt text check (octet_length(jkt) = 43);
