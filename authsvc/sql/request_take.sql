-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 handle hash, $3 internal number of the client, $4 now. Of two at once, one gets the row.
delete from authorization_request
where tenant_id = $1 and handle_hash = $2 and client_id = $3 and expires_at > $4
returning id, public_id, parameters
