-- SPDX-License-Identifier: Apache-2.0
-- What of the API the tokens are for (RFC 8707): a path, or nothing for all of it.
alter table authorization_code
	add column resource text not null default '' check (octet_length(resource) <= 63);
alter table grant_family
	add column resource text not null default '' check (octet_length(resource) <= 63);
