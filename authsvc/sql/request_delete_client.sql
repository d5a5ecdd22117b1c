-- SPDX-License-Identifier: Apache-2.0
-- $1 tenant, $2 internal number of the client. Whoever is signing in for it begins anew.
delete from authorization_request
where tenant_id = $1 and client_id = $2
