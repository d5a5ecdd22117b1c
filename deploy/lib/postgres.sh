# SPDX-License-Identifier: Apache-2.0
# The private PostgreSQL cluster: made by initdb, on a Unix socket only. The superuser signs in by peer as an operator
# (root, or who runs the suite); every service role by password, so a captured service process gains no other role.

PG_BIN=/usr/lib/postgresql/15/bin
PG_DBNAME=berth

pg_env() {
	env -i PATH="$PG_BIN:/usr/bin:/bin" LC_ALL=C.UTF-8 TZ=UTC HOME=/nonexistent "$@"
}

# pg_super [PSQL OPTIONS]: psql as the superuser.
pg_super() {
	pg_env PGOPTIONS=--client-min-messages=warning "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$STATE_DIR/sock" -U postgres "$@"
}

pg_is_ready() { "$PG_BIN/pg_isready" -q -h "$STATE_DIR/sock"; }

postgres_create() {
	[ ! -s "$STATE_DIR/pg/data/PG_VERSION" ] || return 0
	rm -rf "$STATE_DIR/pg/data.new"
	run_logged "making the PostgreSQL cluster" "$STATE_DIR/logs/postgres-initdb.log" \
		as_service env -i PATH="$PG_BIN:/usr/bin:/bin" LC_ALL=C.UTF-8 HOME=/nonexistent \
		"$PG_BIN/initdb" -D "$STATE_DIR/pg/data.new" --data-checksums --locale=C.UTF-8 --encoding=UTF8 \
		--username=postgres --auth=peer
	mv "$STATE_DIR/pg/data.new" "$STATE_DIR/pg/data"
}

# pg_operators: the system users who may act as the superuser. Never the services' own user, unless an ordinary user runs all.
pg_operators() {
	id -un
	if is_root && [ -n "${SUDO_USER:-}" ]; then
		echo "$SUDO_USER"
	fi
}

# pg_config_file NAME < content: true when it changed.
pg_config_file() {
	write_file 0600 "$STATE_DIR/pg/data/$1" || return 1
	! is_root || chown "$SERVICE_USER:$SERVICE_GROUP" "$STATE_DIR/pg/data/$1"
}

# postgres_configure: true when something changed.
postgres_configure() {
	local changed=1
	pg_config_file berth.conf <"$DEPLOY_DIR/postgres/berth.conf" && changed=0
	pg_config_file postgresql.conf <<-END && changed=0
		# Written by up; edit nothing here. Trials: ALTER SYSTEM SET …
		include 'berth.conf'
		unix_socket_directories = '$STATE_DIR/sock'
		cluster_name = 'berth'
	END
	pg_config_file pg_hba.conf <<-END && changed=0
		local all postgres peer map=operators
		local all all scram-sha-256
	END
	pg_operators | sort -u | sed 's/.*/operators & postgres/' | pg_config_file pg_ident.conf && changed=0
	return $changed
}

# postgres_clear_stale: after a crash and a reused pid PostgreSQL would refuse to start; its lock files go when the pid in
# them is no process of this data directory.
postgres_clear_stale() {
	local lock pid
	for lock in "$STATE_DIR/pg/data/postmaster.pid" "$STATE_DIR/sock/.s.PGSQL.5432.lock"; do
		[ -f "$lock" ] || continue
		pid=$(head -n 1 "$lock")
		if [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$STATE_DIR/pg/data" ]; then
			process_remember postgres "$pid" adopted	# its pid file was lost; it still serves
		else
			rm -f "$lock"
		fi
	done
}

postgres_start() {
	postgres_create
	if process_is_alive postgres; then
		! postgres_configure || as_service kill -HUP "$(process_pid postgres)"
	else
		postgres_configure || true
		postgres_clear_stale
		process_is_alive postgres ||
			process_spawn postgres - env -i PATH="$PG_BIN:/usr/bin:/bin" LC_ALL=C.UTF-8 TZ=UTC HOME=/nonexistent \
				"$PG_BIN/postgres" -D "$STATE_DIR/pg/data"
	fi
	wait_until 60 "PostgreSQL" postgres_ready_or_dead || die "PostgreSQL is not ready after 60 s" "read $STATE_DIR/logs/postgres.log"
	process_is_alive postgres || process_died_early postgres
}

postgres_ready_or_dead() { pg_is_ready || process_is_gone postgres; }

postgres_stop() { process_stop postgres INT QUIT; }

# postgres_bootstrap: database, schemas and roles. Passwords go in on standard input, never in an argument.
postgres_bootstrap() {
	[ "$(pg_super -d postgres -Atc "select count(*) from pg_database where datname = '$PG_DBNAME'")" = 1 ] ||
		pg_super -d postgres -c "create database $PG_DBNAME"
	{
		bootstrap_rows
		cat "$DEPLOY_DIR/postgres/bootstrap.sql"
	} | pg_super -d "$PG_DBNAME" -f -
}

# What a service's schema and roles are called: authsvc has schema auth and roles authsvc_owner, authsvc_app, authsvc_jobs.
schema_of() { printf '%s' "${1%svc}"; }
role_prefix() { printf '%s' "$1"; }

bootstrap_rows() {
	local name secrets=$STATE_DIR/secrets
	echo "create temporary table bootstrap_service (role_prefix text, schema_name text, passwords jsonb);"
	for name in "${SERVICE_NAMES[@]}"; do
		printf "insert into bootstrap_service values ('%s', '%s', '{\"owner\": \"%s\", \"app\": \"%s\", \"jobs\": \"%s\"}');\n" \
			"$(role_prefix "$name")" "$(schema_of "$name")" "$(cat "$secrets/owner/$name")" "$(cat "$secrets/$name/pg-app")" "$(cat "$secrets/$name/pg-jobs")"
	done
}
