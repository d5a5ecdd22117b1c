# SPDX-License-Identifier: Apache-2.0
# Every secret of a suite, made once, one a file, and readable only by who needs it. Never printed, never in an argument.

# secret_make GROUP PATH [EPOCH]: 256 bits in hex, after the key's epoch when it has one. Keeps what stands there.
secret_make() {
	local group=$1 path=$2 epoch=${3:-}
	[ ! -s "$path" ] || return 0
	(umask 077 && openssl rand -hex 32 | sed "s/^/${epoch:+$epoch }/" >"$path.tmp.$$")
	give "$group" "$path.tmp.$$"
	mv -f "$path.tmp.$$" "$path"
}

secrets_prepare() {
	local dir=$STATE_DIR/secrets name
	for name in "${SERVICE_NAMES[@]}"; do
		secret_make "$MIGRATE_GROUP" "$dir/owner/$name"
		secret_make "$SERVICE_GROUP" "$dir/$name/pg-app"
		secret_make "$SERVICE_GROUP" "$dir/$name/pg-jobs"
		secret_make "$SERVICE_GROUP" "$dir/$name/master-keys" 1
		secret_make "$SERVICE_GROUP" "$dir/$name/index-key"
	done
	for name in gateway authsvc; do
		secret_make "$SERVICE_GROUP" "$dir/$name/redis"
	done
	secret_make "$SERVICE_GROUP" "$dir/authsvc/peppers" 1
	secret_make "$SERVICE_GROUP" "$dir/authsvc/client-secret-key"
	secret_make "$SERVICE_GROUP" "$dir/auditsvc/log-signing-key"
}
