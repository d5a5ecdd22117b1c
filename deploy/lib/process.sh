# SPDX-License-Identifier: Apache-2.0
# Long-running processes: started detached as the system user, remembered by an identity that a reused pid cannot have
# (pid, start time, boot), and stopped by that identity only. run/<name>.pid holds "pid start-time boot-id fingerprint".

STOP_SECONDS=30

pid_file() { printf '%s/run/%s.pid' "$STATE_DIR" "$1"; }

# pid_start_time PID: the start time in clock ticks, and nothing for a process that is gone or a zombie. Its first thread may
# be a zombie long before the last one has let go of the ports.
pid_start_time() {
	local pid=$1 stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# shellcheck disable=SC2086  # the fields after the name, which itself may hold blanks and parentheses
	set -- ${stat##*) }
	[ "$1" != X ] || return 1
	[ "$1" != Z ] || pid_has_threads "$pid" || return 1
	printf '%s' "${20}"
}

# pid_has_threads PID: one that is no zombie.
pid_has_threads() {
	local task stat
	for task in "/proc/$1/task"/*; do
		stat=$(cat "$task/stat" 2>/dev/null) || continue
		[[ ${stat##*) } == [ZX]* ]] || return 0
	done
	return 1
}

# process_is_stopped PID: by a signal.
process_is_stopped() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	[[ ${stat##*) } == T* ]]
}

# process_pid NAME: its pid when it lives and is the very process that was started.
process_pid() {
	local pid started boot
	read -r pid started boot _ 2>/dev/null <"$(pid_file "$1")" || return 1
	[ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] || return 1
	[ "$(pid_start_time "$pid")" = "$started" ] || return 1
	printf '%s' "$pid"
}

# process_settle NAME: one that was killed and whose last thread has not let go of the ports yet is waited for: it is neither
# one that runs nor one whose place can be taken.
process_settle() {
	local pid stat
	pid=$(process_pid "$1") || return 0
	stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 0
	[[ ${stat##*) } == Z* ]] || return 0
	wait_until "$STOP_SECONDS" "the last thread of $1" process_is_gone "$1" ||
		die "$1 (pid $pid) does not end" "look at it: cat /proc/$pid/task/*/stack; then try again"
}

process_is_alive() { process_pid "$1" >/dev/null 2>&1; }
process_is_gone() { ! process_is_alive "$1"; }

# process_fingerprint NAME: what the running process was started from.
process_fingerprint() {
	local fingerprint
	read -r _ _ _ fingerprint <"$(pid_file "$1")" && printf '%s' "$fingerprint"
}

suite_is_alive() {
	local name
	for name in "${PROCESS_NAMES[@]}" "${STORE_NAMES[@]}"; do
		! process_is_alive "$name" || return 0
	done
	return 1
}

# process_spawn NAME FINGERPRINT COMMAND...: detached, its words in logs/NAME.log; no descriptor but 0, 1 and 2 is handed
# down, and no core file is ever written.
process_spawn() {
	local name=$1 fingerprint=$2 pid
	shift 2
	log_prepare "$name"
	(
		cd /
		ulimit -c 0
		raise_descriptor_limit
		exec </dev/null >/dev/null 2>&1
		close_descriptors
		# shellcheck disable=SC2016  # expanded by the inner shell
		set -- /bin/sh -c 'umask 027; exec >>"$0" 2>&1; exec "$@"' "$STATE_DIR/logs/$name.log" "$@"
		if is_root; then
			exec setsid setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_GROUP" --init-groups --no-new-privs -- "$@"
		fi
		exec setsid "$@"
	) &
	pid=$!
	process_remember "$name" "$pid" "$fingerprint"
	disown "$pid" 2>/dev/null || true
}

process_remember() {
	printf '%s %s %s %s\n' "$2" "$(pid_start_time "$2")" "$(cat /proc/sys/kernel/random/boot_id)" "$3" |
		write_file 0644 "$(pid_file "$1")" || true
}

raise_descriptor_limit() { ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; }

close_descriptors() {
	local fd
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || eval "exec $fd>&-"
	done
}

# process_threads PID: what each of its threads waits for, for whoever looks why it does not end.
process_threads() {
	local task
	for task in /proc/"$1"/task/*; do
		printf '    thread %s %s, wait channel %s, system call %s\n' "${task##*/}" \
			"$(awk '/^(Name|State):/ { printf "%s ", $2 }' "$task/status" 2>/dev/null)" \
			"$(cat "$task/wchan" 2>/dev/null)" "$(cut -d' ' -f1 "$task/syscall" 2>/dev/null)"
	done
}

# process_stop NAME SIGNAL HARD_SIGNAL: asks, waits, and only then insists.
process_stop() {
	local name=$1 signal=$2 hard=$3 pid
	if ! pid=$(process_pid "$name"); then
		rm -f "$(pid_file "$name")"
		return 0
	fi
	kill -"$signal" "$pid" 2>/dev/null || true
	# A stopped process could not hear it. One that runs gets no SIGCONT: that would undo the stops under which a
	# sanitizer that looks for leaks holds the threads, and both would wait for ever.
	! process_is_stopped "$pid" || kill -CONT "$pid" 2>/dev/null || true
	if ! wait_until "$STOP_SECONDS" "the end of $name" process_is_gone "$name"; then
		warn "$name (pid $pid) did not stop in $STOP_SECONDS s after SIG$signal: sending SIG$hard"
		process_threads "$pid" >&2
		kill -"$hard" "$pid" 2>/dev/null || true
		wait_until 10 "the end of $name" process_is_gone "$name" ||
			die "$name (pid $pid) does not end" "look at it: cat /proc/$pid/stack; then try again"
	fi
	rm -f "$(pid_file "$name")"
}

# process_died_early NAME: shows the end of its log.
process_died_early() {
	tail -n 15 "$STATE_DIR/logs/$1.log" >&2 || true
	die "$1 ended right after its start" "read $STATE_DIR/logs/$1.log"
}
