# SPDX-License-Identifier: Apache-2.0
# Where a suite lives: the run directory (what people name), the state directory (what the processes use; the same one
# unless they could not enter it, its socket paths would be too long, or configuration files cannot hold its name), the
# system user, and who may read what.

SOCKET_PATH_MAX=107			# sun_path less its terminator
SOCKET_LONGEST=/sock/.s.PGSQL.5432.lock	# the longest name below the state directory
STATE_ENTRIES=(etc pki secrets ca-private pg redis mail logs run sock opt)
RUN_USER=berth
MIGRATE_GROUP=berth-migrate		# may read the owner passwords; no serving process is in it

rundir_resolve() {
	local named=${BERTH_RUN_DIR:-$CHECKOUT_DIR/.run}
	case $named in
	/*) ;;
	*) named=$PWD/$named ;;
	esac
	RUN_DIR=$(realpath -ms "$named")
	case $RUN_DIR in
	*[[:cntrl:]]*) die "the run directory has control characters in its name" "set BERTH_RUN_DIR to another" ;;
	esac
	if is_root; then
		SERVICE_USER=$RUN_USER
		SERVICE_GROUP=$RUN_USER
	else
		SERVICE_USER=$(id -un)
		SERVICE_GROUP=$(id -gn)
	fi
}

# rundir_prefix: what stands before a command that is meant for this suite.
rundir_prefix() { [ "$RUN_DIR" = "$CHECKOUT_DIR/.run" ] || printf 'BERTH_RUN_DIR=%q ' "$RUN_DIR"; }

# as_service COMMAND...: runs it as the system user, unable to gain anything. As an ordinary user: as oneself.
as_service() {
	if is_root; then
		setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_GROUP" --init-groups --no-new-privs -- "$@"
	else
		"$@"
	fi
}

# as_migration COMMAND...: the same user, who for this one run may read the owner passwords.
as_migration() {
	if is_root; then
		setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_GROUP" \
			--groups="$(getent group "$MIGRATE_GROUP" | cut -d: -f3)" --no-new-privs -- "$@"
	else
		"$@"
	fi
}

rundir_users() {
	is_root || return 0
	getent group "$RUN_USER" >/dev/null || addgroup --system --quiet "$RUN_USER"
	getent passwd "$RUN_USER" >/dev/null ||
		adduser --system --quiet --no-create-home --home /nonexistent --ingroup "$RUN_USER" "$RUN_USER"
	getent group "$MIGRATE_GROUP" >/dev/null || addgroup --system --quiet "$MIGRATE_GROUP"
}

# state_locate: sets STATE_DIR. Once a suite exists its place is remembered: by the link `state`, or by etc/ports itself.
state_locate() {
	local hash
	hash=$(printf '%s' "$RUN_DIR" | sha256sum | cut -c 1-12)
	if is_root; then
		STATE_ELSEWHERE=/var/lib/berth-$hash
	else
		STATE_ELSEWHERE=/tmp/berth-$(id -u)-$hash
	fi
	if [ -L "$RUN_DIR/state" ]; then
		STATE_DIR=$(readlink "$RUN_DIR/state")
	elif [ -d "$RUN_DIR/etc" ] || rundir_is_enough; then
		STATE_DIR=$RUN_DIR
	else
		STATE_DIR=$STATE_ELSEWHERE
	fi
}

rundir_is_enough() {
	local longest=$RUN_DIR$SOCKET_LONGEST
	case $RUN_DIR in
	*[!A-Za-z0-9/._+@-]*) return 1 ;;
	esac
	[ ${#longest} -le $SOCKET_PATH_MAX ] && as_service test -x "$RUN_DIR" 2>/dev/null
}

# rundir_prepare: the run directory, the user and the state directory exist; every part has its owner and its mode.
rundir_prepare() {
	[ -d "$RUN_DIR" ] || (umask 066 && mkdir -p "$RUN_DIR") || die "cannot make $RUN_DIR" "set BERTH_RUN_DIR to a directory of yours"
	[ -w "$RUN_DIR" ] || die "cannot write in $RUN_DIR" "run as $(stat -c %U "$RUN_DIR"), or set BERTH_RUN_DIR to a directory of yours"
	lock_take
	rundir_users
	rundir_populate
}

rundir_populate() {
	state_locate
	[ "$STATE_DIR" = "$RUN_DIR" ] || state_link
	state_dirs
	printf '%s\n' "$RUN_DIR" | write_file 0644 "$STATE_DIR/etc/run-dir" || true
}

# state_link: the state stands elsewhere, under the same names. A short directory in /tmp must really be ours.
state_link() {
	local entry
	if ! mkdir -m 0711 "$STATE_DIR" 2>/dev/null; then
		[ -d "$STATE_DIR" ] && [ ! -L "$STATE_DIR" ] && [ "$(stat -c %u "$STATE_DIR")" = "$(id -u)" ] ||
			die "$STATE_DIR is not a directory of yours" "remove it, or set BERTH_RUN_DIR to a shorter path"
	fi
	is_root || chmod 0700 "$STATE_DIR"
	ln -sfn "$STATE_DIR" "$RUN_DIR/state"
	for entry in "${STATE_ENTRIES[@]}"; do
		ln -sfn "$STATE_DIR/$entry" "$RUN_DIR/$entry"
	done
}

# make_dir MODE OWNER GROUP PATH: as an ordinary user everything is one's own.
make_dir() {
	if is_root; then
		install -d -m "$1" -o "$2" -g "$3" "$4"
	else
		install -d -m "$1" "$4"
	fi
}

state_dirs() {
	local name
	make_dir 0755 root root "$STATE_DIR/opt"
	make_dir 0755 root root "$STATE_DIR/opt/bin"
	make_dir 0755 root root "$STATE_DIR/opt/lib"
	make_dir 0755 root root "$STATE_DIR/run"
	make_dir 0750 root "$SERVICE_GROUP" "$STATE_DIR/etc"
	make_dir 0755 root root "$STATE_DIR/pki"
	make_dir 0700 root root "$STATE_DIR/ca-private"
	make_dir 0750 root "$SERVICE_GROUP" "$STATE_DIR/secrets"
	make_dir 0750 root "$MIGRATE_GROUP" "$STATE_DIR/secrets/owner"
	for name in "${PROCESS_NAMES[@]}"; do
		make_dir 0750 root "$SERVICE_GROUP" "$STATE_DIR/secrets/$name"
	done
	make_dir 0750 root "$SERVICE_GROUP" "$STATE_DIR/logs"
	make_dir 0750 "$SERVICE_USER" "$SERVICE_GROUP" "$STATE_DIR/sock"
	make_dir 0750 "$SERVICE_USER" "$SERVICE_GROUP" "$STATE_DIR/mail"
	make_dir 0700 "$SERVICE_USER" "$SERVICE_GROUP" "$STATE_DIR/pg"
	make_dir 0700 "$SERVICE_USER" "$SERVICE_GROUP" "$STATE_DIR/redis"
}

# log_prepare NAME: its log exists, in a directory where the system user can make no file and lay no link.
log_prepare() {
	local log=$STATE_DIR/logs/$1.log
	[ -f "$log" ] || (umask 077 && : >"$log")
	! is_root || chown "$SERVICE_USER:$SERVICE_GROUP" "$log"
	chmod 0640 "$log"
}

# give GROUP PATH: readable by one group besides its owner.
give() {
	chmod 0640 "$2"
	! is_root || chgrp "$1" "$2"
}

# rundir_wipe: forgets everything of a stopped suite, and only what this folder made.
rundir_wipe() {
	local entry
	for entry in "${STATE_ENTRIES[@]}"; do
		rm -rf "${STATE_DIR:?}/$entry"
		rm -rf "${RUN_DIR:?}/$entry"
	done
	rm -f "$RUN_DIR/suite.json" "$RUN_DIR/demo.json" "$RUN_DIR/demo.partial.json" "$RUN_DIR/demo-bootstrap.out" "$RUN_DIR/state"
	[ "$STATE_DIR" = "$RUN_DIR" ] || rmdir "$STATE_DIR" 2>/dev/null || true
}

# rundir_open [locked]: for commands that need a suite that exists already.
rundir_open() {
	[ -d "$RUN_DIR" ] || die "there is no suite in $RUN_DIR" "start one with ./deploy/up, or set BERTH_RUN_DIR"
	[ "${1:-}" != locked ] || lock_take
	state_locate
	[ -f "$STATE_DIR/etc/ports" ] || die "there is no suite in $RUN_DIR" "start one with ./deploy/up, or set BERTH_RUN_DIR"
}
