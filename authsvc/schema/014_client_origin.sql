-- SPDX-License-Identifier: Apache-2.0
-- Origins whose scripts may use a client's tokens, separated by blanks. The jobs role lists them for the gateway, over
-- all tenants: they are no secret, every browser that is sent there shows them.
alter table client add column allowed_origins text not null default '' check (octet_length(allowed_origins) <= 2560);
create index client_origins on client (public_id) where deleted_at is null and allowed_origins <> '';
grant update (allowed_origins) on client to :app_role;
grant select (allowed_origins) on client to :jobs_role;
