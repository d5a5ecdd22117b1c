-- SPDX-License-Identifier: Apache-2.0
-- How well a person proved who they are (acr) and by which methods (amr, RFC 8176): kept with the session, and handed on
-- to its codes and grants, which keep what they were made with. Everything before this was a password.
alter table session
	add column acr text not null default '1fa' check (acr in ('1fa', '2fa', 'phr')),
	add column amr text not null default 'pwd' check (octet_length(amr) <= 47);
grant update (acr, amr) on session to :app_role;
alter table grant_family
	add column acr text not null default '1fa' check (acr in ('1fa', '2fa', 'phr')),
	add column amr text not null default 'pwd' check (octet_length(amr) <= 47);
alter table authorization_code
	add column acr text not null default '1fa' check (acr in ('1fa', '2fa', 'phr')),
	add column amr text not null default 'pwd' check (octet_length(amr) <= 47);
