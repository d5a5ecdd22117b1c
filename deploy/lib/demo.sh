# SPDX-License-Identifier: Apache-2.0
# Two demo tenants, loaded and walked through the interfaces that everybody else uses.

# demo_load: authsvc makes each tenant with its first Admin and client; all the rest is asked of the public API.
demo_load() {
	config_read "$STATE_DIR/etc/authsvc.env" "$STATE_DIR/etc/authsvc.local.env"
	demo_bootstrap_document | config_file demo-bootstrap.json
	"$PYTHON" -I "$DEPLOY_DIR/demo/load.py" "$RUN_DIR"
}

demo_walk() { "$PYTHON" -I "$DEPLOY_DIR/demo/walk.py" "$RUN_DIR"; }
