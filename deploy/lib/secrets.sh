# SPDX-License-Identifier: Apache-2.0
# Every secret of a suite, made once, one a file, and readable only by who needs it. Never printed, never in an argument.

# secret_make GROUP PATH < content: keeps what stands there.
secret_make() {
	local group=$1 path=$2
	if [ -s "$path" ]; then
		cat >/dev/null
		return 0
	fi
	(umask 077 && cat >"$path.tmp.$$")
	give "$group" "$path.tmp.$$"
	mv -f "$path.tmp.$$" "$path"
}

random_hex64() { openssl rand -hex 32; }

secrets_prepare() {
	local dir=$STATE_DIR/secrets name
	for name in "${SERVICE_NAMES[@]}"; do
		random_hex64 | secret_make "$MIGRATE_GROUP" "$dir/owner/$name"
		random_hex64 | secret_make "$SERVICE_GROUP" "$dir/$name/pg-app"
		random_hex64 | secret_make "$SERVICE_GROUP" "$dir/$name/pg-jobs"
		random_hex64 | sed 's/^/1 /' | secret_make "$SERVICE_GROUP" "$dir/$name/master-keys"
		random_hex64 | secret_make "$SERVICE_GROUP" "$dir/$name/index-key"
	done
	for name in gateway authsvc; do
		random_hex64 | secret_make "$SERVICE_GROUP" "$dir/$name/redis"
	done
	random_hex64 | sed 's/^/1 /' | secret_make "$SERVICE_GROUP" "$dir/authsvc/peppers"
	random_hex64 | secret_make "$SERVICE_GROUP" "$dir/authsvc/client-secret-key"
	random_hex64 | secret_make "$SERVICE_GROUP" "$dir/auditsvc/log-signing-key"
}
