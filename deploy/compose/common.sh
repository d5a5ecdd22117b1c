# SPDX-License-Identifier: Apache-2.0
# The parts of deploy/lib for containers: the same certificates, secrets and settings, under the names that containers have for
# files and for each other. Each container is given a directory with its own files and nothing else.

# shellcheck source-path=SCRIPTDIR source=../lib/all.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../lib/all.sh"

BERTH_RUN_DIR=${BERTH_RUN_DIR:-$CHECKOUT_DIR/.run-compose}
IMAGES=(service postgres redis mail)
BASE_IMAGE=debian:bookworm-slim

place() { printf /berth; }
postgres_place() { printf /berth/sock/postgres; }
redis_place() { printf /berth/sock/redis; }
listen_host() { printf 0.0.0.0; }
dial_host() { [ "$1" = mail ] && printf 127.0.0.1 || printf '%s' "$1"; }	# the mail sink shares the network of authsvc
gateway_listen() { printf '0.0.0.0:%s' "$PUBLIC_PORT"; }
config_handover() { :; }	# a container's sockets are its own
redis_default_user() { printf off; }
rundir_users() { :; }
as_service() { setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_GROUP" --clear-groups --no-new-privs -- "$@"; }

compose_prepare() {
	is_root || die "containers are given files by root" "run it as root"
	docker info >/dev/null 2>&1 || die "no Docker engine answers" "install docker.io and start dockerd"
	command -v docker-compose >/dev/null || die "docker-compose is not installed" "apt-get install docker-compose"
	packages_ensure python3 openssl curl util-linux
	rundir_resolve
	SERVICE_USER=64100 SERVICE_GROUP=64100 MIGRATE_GROUP=64103
	rundir_prepare
	step "preparing $RUN_DIR"
	suite_prepare
	redis_configure
	compose_files
	compose_settings
}

# compose_give NAME FILE...: the container NAME sees these files of the state directory, under the same names.
compose_give() {
	local to=$STATE_DIR/containers/$1 file
	shift
	install -d -m 0750 -g 64100 "$to" "$to/sock" "$to/sock/postgres" "$to/sock/redis"
	for file in "$@"; do
		install -d -m 0755 "$to/$(dirname "$file")"
		cp -pL "$STATE_DIR/$file" "$to/$(dirname "$file")/"
	done
}

compose_files() {
	local name file own
	for name in "${PROCESS_NAMES[@]}"; do
		own=(pki/ops-ca.pem "pki/link/$name.pem" "pki/link/$name.key" "pki/admin/$name.pem" "pki/admin/$name.key")
		for file in "$STATE_DIR"/pki/link/ca/* "$STATE_DIR/secrets/$name"/*; do
			own+=("${file#"$STATE_DIR"/}")
		done
		[ "$name" != authsvc ] || own+=(etc/egress-allow)
		[ "$name" != gateway ] || own+=(pki/edge-ecdsa.pem pki/edge-ecdsa.key pki/edge-rsa.pem pki/edge-rsa.key)
		compose_give "$name" "${own[@]}"
	done
	for name in "${SERVICE_NAMES[@]}"; do
		compose_give "$name-migrate" "secrets/owner/$name"
		compose_give postgres "secrets/owner/$name" "secrets/$name/pg-app" "secrets/$name/pg-jobs"
	done
	chgrp -R 64100 "$STATE_DIR/containers/postgres/secrets"
	compose_give redis etc/redis.conf etc/redis.acl
	compose_give mail pki/mail.pem pki/mail.key
	chmod 0755 "$STATE_DIR/containers"
}

# compose_settings: what compose.yaml asks for.
compose_settings() {
	local name
	export BERTH_STATE=$STATE_DIR
	BERTH_PORT=$(port_of public)
	PORT_MAIL=$(port_of mail)
	FILES=$(ulimit -Hn)	# no container may have more than this machine
	[ "$FILES" != unlimited ] && [ "$FILES" -lt 65536 ] || FILES=65536
	export BERTH_PORT PORT_MAIL FILES
	for name in "${PROCESS_NAMES[@]}"; do
		export "PORT_${name^^}=$(port_of "admin.$name")"
	done
	COMPOSE_PROJECT=berth-$(printf '%s' "$RUN_DIR" | sha256sum | cut -c 1-12)
}

compose() { docker-compose -p "$COMPOSE_PROJECT" -f "$DEPLOY_DIR/compose/compose.yaml" "$@"; }

compose_base_image() {
	local root
	! docker image inspect "$BASE_IMAGE" >/dev/null 2>&1 || return 0
	! docker pull -q "$BASE_IMAGE" >/dev/null 2>&1 || return 0
	packages_ensure debootstrap
	root=$(mktemp -d /tmp/berth-base.XXXXXX)
	run_logged "making $BASE_IMAGE" "$STATE_DIR/logs/images.log" debootstrap --variant=minbase bookworm "$root"
	cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
	cp -r /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/trusted.gpg.d "$root/etc/apt/" 2>/dev/null || true
	tar -C "$root" -c . | docker import - "$BASE_IMAGE" >/dev/null
	rm -rf "$root"
}

compose_images() {
	local name
	for name in "${IMAGES[@]}"; do
		git -C "$CHECKOUT_DIR" ls-files -z | tar -C "$CHECKOUT_DIR" -c --null -T - |
			docker build -q -f deploy/compose/Containerfile --target "$name" -t "berth-$name" -
	done
}

compose_container() { compose ps -q "$1"; }
compose_is_healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$(compose_container "$1")" 2>/dev/null)" = healthy ]; }

# compose_bootstrap DOCUMENT OUTPUT: as demo_bootstrap, in the container of authsvc.
compose_bootstrap() {
	compose_give authsvc "etc/$1"
	(umask 077 && compose exec -T authsvc authsvc --bootstrap "/berth/etc/$1" >"$2")
	rm -f "$STATE_DIR/containers/authsvc/etc/$1"
}
