-- SPDX-License-Identifier: Apache-2.0
-- The Merkle tree over the leaves (RFC 9162 section 2.1). No tenant's data: hashes and counts of the whole log, which every tenant
-- needs to check its own leaves.

-- The end of the log. Who appends holds this row's lock until commit, so leaves stand in the order of commit, without gaps.
-- `peaks`: the roots of the complete subtrees that make up `size`, largest first.
create table log_head (
	only_row boolean primary key default true check (only_row),
	size bigint not null check (size >= 0),
	peaks bytea not null check (octet_length(peaks) % 32 = 0 and octet_length(peaks) <= 63 * 32)
);
insert into log_head (size, peaks) values (0, '');

-- All complete subtrees in the order in which they became complete; a row holds those of one append.
create table log_nodes (
	first_place bigint primary key check (first_place >= 0),
	hashes bytea not null check (octet_length(hashes) > 0 and octet_length(hashes) % 32 = 0)
);
-- Hashes do not compress, and a proof reads single ones.
alter table log_nodes alter column hashes set storage external;

-- Signed tree heads: one for a size, for ever, and there before anybody sees it.
create table checkpoint (
	size bigint primary key check (size >= 0),
	origin text not null check (octet_length(origin) between 1 and 200),
	root_hash bytea not null check (octet_length(root_hash) = 32),
	signed_at timestamptz not null,
	signature bytea not null check (octet_length(signature) = 64),
	public_key bytea not null check (octet_length(public_key) = 32)
);

revoke all on log_head, log_nodes, checkpoint from :app_role;
grant select, update (size, peaks) on log_head to :app_role;
grant select, insert on log_nodes to :app_role;
grant select on checkpoint to :app_role;
grant select on log_head, log_nodes to :jobs_role;
grant select, insert on checkpoint to :jobs_role;

-- The second line behind the privileges: it binds the owner too.
create function refuse_change() returns trigger language plpgsql as $$
begin
	raise exception 'the log only grows' using errcode = '23514', constraint = 'log_only_grows';
end
$$;
create trigger event_only_grows before update or delete or truncate on event for each statement execute function refuse_change();
create trigger log_nodes_only_grow before update or delete or truncate on log_nodes
	for each statement execute function refuse_change();
create trigger checkpoint_only_grows before update or delete or truncate on checkpoint
	for each statement execute function refuse_change();
create trigger content_never_changes before update or truncate on content for each statement execute function refuse_change();
create trigger log_head_stays before delete or truncate on log_head for each statement execute function refuse_change();

create function refuse_shrinking() returns trigger language plpgsql as $$
begin
	if new.size <= old.size then
		raise exception 'the log only grows' using errcode = '23514', constraint = 'log_only_grows';
	end if;
	return new;
end
$$;
create trigger log_head_only_grows before update on log_head for each row execute function refuse_shrinking();
