# SPDX-License-Identifier: Apache-2.0
# The five processes: installing their binaries, migrating, starting those that are missing or whose binary, configuration
# or certificates changed, and waiting until each says that it is ready.

READY_SECONDS=60
REPLACE_SECONDS=90

service_binary() { printf '%s/opt/bin/%s' "$STATE_DIR" "$1"; }
service_admin_url() { printf 'https://127.0.0.1:%s' "$(port_of "admin.$1")"; }

# service_built NAME: where the build tree has it.
service_built() {
	local path
	for path in "$BUILD_DIR/bin/$1" "$BUILD_DIR/$1/$1"; do
		if [ -x "$path" ] && [ -f "$path" ]; then
			printf '%s' "$path"
			return 0
		fi
	done
	die "the build tree $BUILD_DIR has no $1" "run: cmake --build $BUILD_DIR --target $1"
}

# services_install: a running binary is never written to; the new one takes its name.
services_install() {
	local name built
	for name in "${PROCESS_NAMES[@]}"; do
		built=$(service_built "$name")
		! install_file 0755 "$built" "$(service_binary "$name")" || note "installed $name"
	done
}

service_fingerprint() {
	local pki=$STATE_DIR/pki etc=$STATE_DIR/etc
	local files=("$(service_binary "$1")" "$etc/$1.env" "$pki/link/$1.pem" "$pki/admin/$1.pem" "$pki"/link/ca/*)
	[ ! -f "$etc/$1.local.env" ] || files+=("$etc/$1.local.env")
	[ "$1" != gateway ] || files+=("$pki/edge-ecdsa.pem" "$pki/edge-rsa.pem")
	cat "${files[@]}" | sha256sum | cut -c 1-16
}

# service_migrate NAME: with the owner's secret, as the system user.
service_migrate() {
	[ -x "$(service_binary "$1")" ] || die "$1 is not installed in $STATE_DIR/opt/bin" "run ./deploy/up once"
	config_read "$STATE_DIR/etc/$1.migrate.env" "$STATE_DIR/etc/$1.local.env"
	run_logged "migrating $1" "$STATE_DIR/logs/$1-migrate.log" \
		as_migration env -i "${CONFIG[@]}" "$(service_binary "$1")" --migrate
}

# service_start NAME: starts it unless it runs; does not wait.
service_start() {
	[ -x "$(service_binary "$1")" ] || die "$1 is not installed in $STATE_DIR/opt/bin" "run ./deploy/up once"
	process_settle "$1"
	! process_is_alive "$1" || return 0
	config_read "$STATE_DIR/etc/$1.env" "$STATE_DIR/etc/$1.local.env"
	[ -z "${BERTH_CRASH_AT:-}" ] || CONFIG+=("BERTH_CRASH_AT=$BERTH_CRASH_AT")	# test builds only; release builds know none
	process_spawn "$1" "$(service_fingerprint "$1")" env -i "${CONFIG[@]}" "$(service_binary "$1")"
}

service_stop() {
	[ ! -f "$(pid_file "$1.old")" ] || process_stop "$1.old" TERM KILL	# of a replacement that was cut short
	process_stop "$1" TERM KILL
}

# service_replace NAME: a new process takes the place of the running one, which goes when it has answered what it has. No
# request fails. When the old one hands nothing over it is stopped first; when the new one fails, the old one goes on.
service_replace() {
	local name=$1 log=$STATE_DIR/logs/$1.log said
	if process_is_alive "$name" && [ -S "$STATE_DIR/sock/$name.next" ]; then
		said=$(stat -c %s "$log" 2>/dev/null || echo 0)
		mv -f "$(pid_file "$name")" "$(pid_file "$name.old")"
		service_start "$name"
		if wait_until "$REPLACE_SECONDS" "$name to take over" service_replaced_or_dead "$name" && process_is_alive "$name"; then
			rm -f "$(pid_file "$name.old")"
			return 0
		fi
		process_stop "$name" TERM KILL
		mv -f "$(pid_file "$name.old")" "$(pid_file "$name")"
		process_is_gone "$name" || tail -c +$((said + 1)) "$log" | grep '"handover_failed"' >/dev/null || {
			tail -c +$((said + 1)) "$log" | tail -n 10 >&2
			die "the new $name ended before it was ready; the old one goes on" "read $log"
		}
		warn "$name could not be replaced while it runs: stopping it first (read $log)"
	fi
	service_stop "$name"
	service_start "$name"
}

service_replaced_or_dead() { process_is_gone "$1.old" || process_is_gone "$1"; }

# services_refresh: starts the missing, restarts the changed, leaves the others alone.
services_refresh() {
	local name
	for name in "${PROCESS_NAMES[@]}"; do
		if process_is_alive "$name"; then
			[ "$(process_fingerprint "$name")" != "$(service_fingerprint "$name")" ] || continue
			note "restarting $name: its binary, configuration or certificates changed"
			service_replace "$name"
		else
			note "starting $name"
			service_start "$name"
		fi
	done
}

service_is_ready() {
	curl -fsS -o /dev/null --max-time 2 --cacert "$STATE_DIR/pki/ops-ca.pem" "$(service_admin_url "$1")/readyz" 2>/dev/null
}

# service_detail NAME: which dependency it says it misses.
service_detail() {
	curl -sS --max-time 2 --cacert "$STATE_DIR/pki/ops-ca.pem" --cert "$STATE_DIR/pki/ops-client.pem" \
		--key "$STATE_DIR/pki/ops-client.key" "$(service_admin_url "$1")/readyz?verbose" 2>&1 || true
}

service_ready_or_dead() { service_is_ready "$1" || process_is_gone "$1"; }

service_wait_ready() {
	wait_until "$READY_SECONDS" "$1 to be ready" service_ready_or_dead "$1" ||
		die "$1 is not ready after $READY_SECONDS s: $(service_detail "$1")" "read $STATE_DIR/logs/$1.log"
	process_is_alive "$1" || process_died_early "$1"
}

services_wait_ready() {
	local name
	for name in "${PROCESS_NAMES[@]}"; do
		service_wait_ready "$name"
	done
}
