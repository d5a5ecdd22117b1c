-- SPDX-License-Identifier: Apache-2.0
-- A client that begins by a pushed request only (RFC 9126 section 6). Pushed requests themselves stand beside those that
-- wait for a sign-in.
alter table client
	add column require_pushed boolean not null default false;
