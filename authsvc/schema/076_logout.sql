-- SPDX-License-Identifier: Apache-2.0
-- Where a browser may go after signing out (RP-Initiated Logout 1.0), separated by blanks.
alter table client
	add column post_logout_uris text not null default '';
