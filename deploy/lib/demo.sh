# SPDX-License-Identifier: Apache-2.0
# Two demo tenants, loaded and walked through the interfaces that everybody else uses.

demo_python() {
	local script=$1
	shift
	PYTHONDONTWRITEBYTECODE=1 "$PYTHON" -s "$DEPLOY_DIR/demo/$script" "$RUN_DIR" "$@"
}

# demo_load BOOTSTRAP: authsvc makes each tenant with its first Admin and client; all the rest is asked of the public API.
# BOOTSTRAP DOCUMENT OUTPUT runs authsvc --bootstrap with a document of the state directory's etc/, wherever authsvc runs.
demo_load() {
	local bootstrap=$1 document=demo-bootstrap.json output=$RUN_DIR/demo-bootstrap.out
	if [ -f "$RUN_DIR/demo.json" ]; then
		note "they are loaded already"
		return 0
	fi
	demo_python load.py document | config_file "$document"
	"$bootstrap" "$document" "$output"
	demo_python load.py load "$output"
	rm -f "$STATE_DIR/etc/$document" "$output"
}

demo_bootstrap() {
	local document=$STATE_DIR/etc/$1 output=$2
	config_read "$STATE_DIR/etc/authsvc.env" "$STATE_DIR/etc/authsvc.local.env"
	if ! (umask 077 && as_service env -i "${CONFIG[@]}" "$(service_binary authsvc)" --bootstrap "$document" \
		>"$output" 2>"$STATE_DIR/logs/authsvc-bootstrap.log"); then
		tail -n 10 "$STATE_DIR/logs/authsvc-bootstrap.log" >&2
		die "authsvc --bootstrap failed" "read $STATE_DIR/logs/authsvc-bootstrap.log"
	fi
}

demo_walk() { demo_python walk.py; }
