# SPDX-License-Identifier: Apache-2.0
# Words for people, the one lock, and small file helpers. Sourced first by every command of this folder.

set -euo pipefail
umask 027
export LC_ALL=C

DEPLOY_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CHECKOUT_DIR=$(dirname "$DEPLOY_DIR")
SERVICE_NAMES=(auditsvc authsvc bookingsvc gdprsvc)	# the four with a database, in starting order
PROCESS_NAMES=("${SERVICE_NAMES[@]}" gateway)			# the five
STORE_NAMES=(postgres redis mail)
PYTHON=/usr/bin/python3					# the one that sees Debian's Python packages
LOCK_FD=9

step() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# die WHAT [NEXT]: says what is wrong, then what to do about it.
die() {
	printf 'error: %s\n' "$1" >&2
	[ $# -lt 2 ] || printf '  do: %s\n' "$2" >&2
	exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# one_of WORD LIST...: does WORD stand in the list?
one_of() {
	local word=$1 item
	shift
	for item in "$@"; do
		[ "$item" != "$word" ] || return 0
	done
	return 1
}

# now_ms: the monotonic clock in milliseconds.
now_ms() {
	local up
	read -r up _ </proc/uptime
	printf '%d\n' $((10#${up/./} * 10))
}

# wait_until SECONDS WHAT COMMAND...: polls COMMAND until it succeeds, and says now and then that WHAT is awaited; false
# when the time is over.
wait_until() {
	local start now next=2000 limit=$(($1 * 1000)) what=$2
	shift 2
	start=$(now_ms)
	until "$@"; do
		now=$(($(now_ms) - start))
		[ "$now" -lt "$limit" ] || return 1
		if [ "$now" -ge "$next" ]; then
			note "waiting for $what: $((now / 1000)) s of at most $((limit / 1000)) s"
			next=$((now + 5000))
		fi
		sleep 0.05
	done
}

# run_logged LABEL LOG COMMAND...: runs COMMAND with its words in LOG, and says every few seconds that it still runs.
run_logged() {
	local label=$1 log=$2 pid start next said rc=0
	shift 2
	said=$(stat -c %s "$log" 2>/dev/null || echo 0)
	printf -- '--- %s %s\n' "$(date -u +%FT%TZ)" "$label" >>"$log"
	"$@" >>"$log" 2>&1 </dev/null 9>&- &
	pid=$!
	start=$(now_ms)
	next=$((start + 2000))
	while kill -0 "$pid" 2>/dev/null; do
		if [ "$(now_ms)" -ge "$next" ]; then
			note "$label: $((($(now_ms) - start) / 1000)) s; $(tail -n 1 "$log" | cut -c 1-100)"
			next=$(($(now_ms) + 5000))
		fi
		sleep 0.1
	done
	wait "$pid" || rc=$?
	if [ "$rc" -ne 0 ]; then
		tail -c +$((said + 1)) "$log" | tail -n 20 >&2
		die "$label failed (exit $rc)" "read $log"
	fi
}

# write_file MODE PATH < content: replaces PATH in one step, only when the content differs. True when it changed.
write_file() {
	local mode=$1 path=$2 temp content present
	IFS= read -r -d '' content || true
	if [ -f "$path" ]; then
		IFS= read -r -d '' present <"$path" || true
		[ "$content" != "$present" ] || return 1
	fi
	temp=$(mktemp "$(dirname "$path")/.tmp.XXXXXX")
	printf '%s' "$content" >"$temp"
	chmod "$mode" "$temp"
	mv -f "$temp" "$path"
}

# install_file MODE FROM TO: as write_file, for a file that may be running: the old inode is never written to.
install_file() {
	cmp -s "$2" "$3" && return 1
	cp "$2" "$3.tmp.$$"
	chmod "$1" "$3.tmp.$$"
	mv -f "$3.tmp.$$" "$3"
}

# lock_take: one command at a time works on a run directory; a second one waits and says for whom.
lock_take() {
	eval "exec $LOCK_FD>>\"\$RUN_DIR/.lock\""
	if ! flock -n "$LOCK_FD"; then
		note "another command (pid $(cat "$RUN_DIR/.lock.pid" 2>/dev/null || echo '?')) works on $RUN_DIR: waiting for it"
		flock -w 600 "$LOCK_FD" || die "the lock of $RUN_DIR was not released in 10 minutes" \
			"look at process $(cat "$RUN_DIR/.lock.pid" 2>/dev/null || echo '?'), then try again"
	fi
	echo $$ >"$RUN_DIR/.lock.pid"
}
