# SPDX-License-Identifier: Apache-2.0
# suite.json: what outside tests and tools hold on to.

suite_write() {
	local name rows=() url
	url=https://localhost:$(port_of public)
	for name in "${PROCESS_NAMES[@]}"; do
		rows+=("$name" "$(process_pid "$name" || echo 0)" "$(service_admin_url "$name")")
	done
	(umask 077 && "$PYTHON" -I "$DEPLOY_DIR/lib/suite_json.py" "$RUN_DIR/suite.json" \
		"$url" "$STATE_DIR" "$PG_DBNAME" "${rows[@]}")
}

# suite_refresh: after a process got a new pid.
suite_refresh() { [ ! -f "$RUN_DIR/suite.json" ] || suite_write; }
