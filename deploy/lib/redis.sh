# SPDX-License-Identifier: Apache-2.0
# The private Redis: a Unix socket only, an ACL user per process that may use it.

REDIS_RULES='resetkeys ~berth:* resetchannels &berth:* -@all +@read +@write +@stream +@transaction +@pubsub +@connection -@scripting +time +eval +evalsha +script|load +script|exists -@admin -@dangerous'

redis_default_user() { printf 'on nopass ~* &* +@all'; }

redis_configure() {
	local name
	{
		cat "$DEPLOY_DIR/redis/redis.conf"
		printf 'unixsocket %s/redis.sock\ndir %s/redis\naclfile %s/etc/redis.acl\n' "$(redis_place)" "$(place)" "$(place)"
	} | write_file 0640 "$STATE_DIR/etc/redis.conf" || true
	{
		echo "user default $(redis_default_user)"
		for name in gateway authsvc; do
			printf 'user %s on #%s %s\n' "$name" "$(tr -d '\n' <"$STATE_DIR/secrets/$name/redis" | sha256sum | cut -d' ' -f1)" "$REDIS_RULES"
		done
	} | write_file 0640 "$STATE_DIR/etc/redis.acl" || true
	give "$SERVICE_GROUP" "$STATE_DIR/etc/redis.conf"
	give "$SERVICE_GROUP" "$STATE_DIR/etc/redis.acl"
}

redis_super() { redis-cli -s "$STATE_DIR/sock/redis.sock" "$@"; }

redis_is_ready() { [ "$(redis_super ping 2>/dev/null)" = PONG ]; }
redis_ready_or_dead() { redis_is_ready || process_is_gone redis; }

# By standard input, for the user of the processes may not be able to enter the checkout.
redis_mend() { as_service /bin/bash -s -- "$STATE_DIR/etc/redis.conf" <"$DEPLOY_DIR/redis/mend"; }

redis_start() {
	redis_configure
	process_settle redis
	process_is_alive redis || redis_mend
	process_is_alive redis ||
		process_spawn redis - env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 TZ=UTC redis-server "$STATE_DIR/etc/redis.conf"
	wait_until 30 "Redis" redis_ready_or_dead || die "Redis is not ready after 30 s" "read $STATE_DIR/logs/redis.log"
	process_is_alive redis || process_died_early redis
}

redis_stop() { process_stop redis TERM KILL; }
