# SPDX-License-Identifier: Apache-2.0
# The Debian packages that building and running need. Installed only when something is missing, and only by root.

PACKAGES_BUILD=(gcc libc6-dev cmake ninja-build pkg-config python3 libnng-dev libmbedtls-dev libssl-dev libpq-dev libcjson-dev
	libsodium-dev libxml2-dev libhiredis-dev libnghttp2-dev libcurl4-openssl-dev libseccomp-dev libqrencode-dev
	libcmocka-dev)
PACKAGES_RUN=(postgresql-15 redis-server python3-aiosmtpd openssl curl ca-certificates util-linux procps adduser)

packages_missing() {
	local package known
	known=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' "$@" 2>/dev/null || true)"
	for package in "$@"; do
		case $known in
		*" $package=installed "*) ;;
		*) echo "$package" ;;
		esac
	done
}

# packages_ensure PACKAGE...: they are installed when this returns.
packages_ensure() {
	local missing
	command -v dpkg-query >/dev/null || die "this is no Debian system" "run Berth on Debian 12"
	missing=$(packages_missing "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if ! is_root; then
		die "these packages are missing: $missing" "sudo apt-get install --no-install-recommends $missing"
	fi
	step "installing missing packages: $missing"
	packages_install "$missing"
}

# packages_install "PACKAGE...": without starting the packaged servers, which this suite does not use.
packages_install() {
	local log policy=/usr/sbin/policy-rc.d own_policy=no rc=0
	log=$(mktemp /tmp/berth-apt.XXXXXX)
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 0755 "$policy"
		own_policy=yes
	fi
	if [ ! -e /etc/postgresql-common ]; then
		mkdir -p /etc/postgresql-common/createcluster.d
		echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/berth.conf
	fi
	(
		# Interrupted, it lets dpkg finish: the policy must neither stay behind nor go too early.
		trap 'wait; [ "$own_policy" = no ] || rm -f "$policy"' EXIT
		run_logged "reading the package lists" "$log" apt-get -o DPkg::Lock::Timeout=600 update
		# shellcheck disable=SC2086  # a list of words
		run_logged "installing packages" "$log" env DEBIAN_FRONTEND=noninteractive apt-get -y -q \
			-o DPkg::Lock::Timeout=600 install --no-install-recommends $1
	) || rc=$?
	[ "$rc" = 0 ] || exit "$rc"
	rm -f "$log"
}
