# SPDX-License-Identifier: Apache-2.0
# What each process is told: etc/<name>.env, lines KEY=VALUE, the whole of its environment. Secrets are named by file, never
# written here. etc/<name>.local.env, when you make one, is added at the next start (sanitizer options, crash points);
# `up` never writes it.

MAIL_FROM=no-reply@berth.example

# Where processes find files and each other. One machine: where they are. Containers (compose/up) have names of their own for both.
place() { printf '%s' "$STATE_DIR"; }
postgres_place() { printf '%s/sock' "$STATE_DIR"; }
redis_place() { printf '%s/sock' "$STATE_DIR"; }
listen_host() { printf 127.0.0.1; }
dial_host() { printf 127.0.0.1; }

config_prepare() {
	local name
	config_egress | config_file egress-allow
	for name in "${PROCESS_NAMES[@]}"; do
		config_of "$name" | config_file "$name.env"
	done
	for name in "${SERVICE_NAMES[@]}"; do
		config_migrate "$name" | config_file "$name.migrate.env"
	done
}

config_file() {
	write_file 0640 "$STATE_DIR/etc/$1" || true
	give "$SERVICE_GROUP" "$STATE_DIR/etc/$1"
}

config_egress() { printf '127.0.0.1:%s mail\n' "$(port_of mail)"; }

config_of() {
	config_common "$1"
	config_links "$1"
	! one_of "$1" "${SERVICE_NAMES[@]}" || config_database "$1"
	"config_$1"
}

config_common() {
	local pki
	pki=$(place)/pki
	cat <<-END
		BERTH_ENV=development
		BERTH_REGION=eu-west-1
		BERTH_PUBLIC_URL=$PUBLIC_URL
		BERTH_ADMIN_LISTEN=$(listen_host):$(port_of "admin.$1")
		BERTH_ADMIN_CERT_FILE=$pki/admin/$1.pem
		BERTH_ADMIN_KEY_FILE=$pki/admin/$1.key
		BERTH_ADMIN_CA_FILE=$pki/ops-ca.pem
		BERTH_LINK_CERT_FILE=$pki/link/$1.pem
		BERTH_LINK_KEY_FILE=$pki/link/$1.key
		BERTH_LINK_CA_DIR=$pki/link/ca
	END
	config_handover "$1"
}

config_handover() { echo "BERTH_HANDOVER_SOCKET=$STATE_DIR/sock/$1.next"; }

config_links() {
	local caller callee lane port
	while read -r caller callee lane; do
		port=$(port_of "$caller.$callee.$lane")
		[ "$callee" != "$1" ] || echo "BERTH_LISTEN_${caller^^}_$lane=tls+tcp://$(listen_host):$port"
		[ "$caller" != "$1" ] || echo "BERTH_DIAL_${callee^^}_$lane=tls+tcp://$(dial_host "$callee"):$port"
	done < <(peers_table)
}

config_database() {
	local secrets
	secrets=$(place)/secrets/$1
	cat <<-END
		BERTH_PG_HOST=$(postgres_place)
		BERTH_PG_DBNAME=$PG_DBNAME
		BERTH_PG_APP_PASSWORD_FILE=$secrets/pg-app
		BERTH_PG_JOBS_PASSWORD_FILE=$secrets/pg-jobs
		BERTH_MASTER_KEYS_FILE=$secrets/master-keys
		BERTH_INDEX_KEY_FILE=$secrets/index-key
	END
}

config_redis() {
	echo "BERTH_REDIS_SOCKET=$(redis_place)/redis.sock"
	echo "BERTH_REDIS_PASSWORD_FILE=$(place)/secrets/$1/redis"
}

config_gateway() {
	local pki
	pki=$(place)/pki
	config_redis gateway
	cat <<-END
		BERTH_GATEWAY_LISTEN=$(gateway_listen)
		BERTH_GATEWAY_CERT_FILES=$pki/edge-ecdsa.pem,$pki/edge-rsa.pem
		BERTH_GATEWAY_KEY_FILES=$pki/edge-ecdsa.key,$pki/edge-rsa.key
		BERTH_LIMITS_FILE=$(place)/etc/gateway.limits
	END
}

gateway_listen() {
	printf '127.0.0.1:%s' "$PUBLIC_PORT"
	! grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null || printf ',[::1]:%s' "$PUBLIC_PORT"
}

config_authsvc() {
	local secrets
	secrets=$(place)/secrets/authsvc
	config_redis authsvc
	cat <<-END
		BERTH_PEPPERS_FILE=$secrets/peppers
		BERTH_SMTP_URL=smtps://$(dial_host mail):$(port_of mail)
		BERTH_SMTP_CA_FILE=$(place)/pki/ops-ca.pem
		BERTH_MAIL_FROM=$MAIL_FROM
		BERTH_EGRESS_ALLOW_FILE=$(place)/etc/egress-allow
		BERTH_CLIENT_SECRET_KEY_FILE=$secrets/client-secret-key
	END
}

config_auditsvc() {
	echo "BERTH_LOG_SIGNING_KEY_FILE=$(place)/secrets/auditsvc/log-signing-key"
}

config_bookingsvc() { :; }
config_gdprsvc() { :; }

# config_migrate NAME: for `<name> --migrate` alone; the serving process never has the owner's password.
config_migrate() {
	cat <<-END
		BERTH_ENV=development
		BERTH_PG_HOST=$(postgres_place)
		BERTH_PG_DBNAME=$PG_DBNAME
		BERTH_PG_OWNER_PASSWORD_FILE=$(place)/secrets/owner/$1
	END
}

# config_read FILE...: sets CONFIG to the KEY=VALUE lines of the files that exist.
config_read() {
	local file line
	CONFIG=()
	for file in "$@"; do
		[ -f "$file" ] || continue
		while IFS= read -r line || [ -n "$line" ]; do
			case $line in
			'' | '#'*) ;;
			*=*) CONFIG+=("$line") ;;
			*) die "'$line' in $file is no KEY=VALUE" "correct that line" ;;
			esac
		done <"$file"
	done
}
