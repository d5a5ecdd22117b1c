# SPDX-License-Identifier: Apache-2.0
# The ports of a suite: the public one is said by BERTH_PORT; all others are picked free once and remembered in etc/ports,
# one "name port" a line. They lie below the range from which the kernel takes outgoing ports.

PORTS_FIRST=20000
PORTS_SLOT=32
PORTS_SLOTS=375

port_names() {
	local name caller callee lane
	for name in "${PROCESS_NAMES[@]}"; do
		echo "admin.$name"
	done
	echo mail
	while read -r caller callee lane; do
		echo "$caller.$callee.$lane"
	done < <(peers_table)
}

# port_of NAME: the remembered port.
port_of() {
	local name port
	while read -r name port; do
		[ "$name" != "$1" ] || { echo "$port" && return 0; }
	done <"$STATE_DIR/etc/ports"
	die "no port is remembered for $1 in $STATE_DIR/etc/ports" "start over with ./deploy/up --fresh"
}

# ports_listening: every TCP port that somebody listens on, whatever the address.
ports_listening() {
	local local_address
	awk '$4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null | sort -u | while read -r local_address; do
		echo $((16#${local_address##*:}))
	done
}

ports_pick() {
	local public=$1 slot try name port used
	used=" $(ports_listening | tr '\n' ' ') $public "
	slot=$((16#$(printf '%s' "$RUN_DIR" | sha256sum | cut -c 1-8) % PORTS_SLOTS))
	for ((try = 0; try < PORTS_SLOTS; try++)); do
		port=$((PORTS_FIRST + (slot + try) % PORTS_SLOTS * PORTS_SLOT))
		slot_is_free "$port" "$used" || continue
		{
			echo "public $public"
			for name in $(port_names); do
				echo "$name $port"
				port=$((port + 1))
			done
		} | write_file 0644 "$STATE_DIR/etc/ports" || true
		return 0
	done
	die "no $PORTS_SLOT free ports in a row from $PORTS_FIRST on" "stop other suites with ./deploy/down"
}

slot_is_free() {
	local port
	for ((port = $1; port < $1 + PORTS_SLOT; port++)); do
		case $2 in
		*" $port "*) return 1 ;;
		esac
	done
}

# port_wanted: refuses a BERTH_PORT that no ordinary user may listen on, before anything is done for it.
port_wanted() {
	local public=${BERTH_PORT:-8443}
	case $public in
	*[!0-9]* | 0* | ??????*) ;;
	*) [ "$public" -lt 1024 ] || [ "$public" -gt 65535 ] || return 0 ;;
	esac
	die "BERTH_PORT=$public is not a port that Berth can listen on" "give a number from 1024 to 65535"
}

# ports_prepare: remembered ports are kept; a stopped suite whose ports were taken by others gets new ones.
ports_prepare() {
	local public=${BERTH_PORT:-}
	port_wanted
	if [ -f "$STATE_DIR/etc/ports" ]; then
		[ -z "$public" ] || [ "$public" = "$(port_of public)" ] ||
			die "the suite in $RUN_DIR was made for port $(port_of public), not $public" \
				"leave BERTH_PORT away, or start over with BERTH_PORT=$public ./deploy/up --fresh"
		if ports_are_incomplete; then
			! suite_is_alive || die "this version needs ports that the running suite does not have" "./deploy/down, then ./deploy/up"
			ports_pick "$(port_of public)"
		elif ! suite_is_alive && ports_are_taken; then
			note "some remembered ports were taken by others: picking new ones"
			ports_pick "$(port_of public)"
		fi
	else
		ports_pick "${public:-8443}"
	fi
	PUBLIC_PORT=$(port_of public)
	PUBLIC_URL=https://localhost:$PUBLIC_PORT
}

ports_are_incomplete() {
	[ "$(port_names | sort)" != "$(awk '$1 != "public" { print $1 }' "$STATE_DIR/etc/ports" | sort)" ]
}

ports_are_taken() {
	local used name port
	used=" $(ports_listening | tr '\n' ' ') "
	while read -r name port; do
		[ "$name" != public ] || continue
		case $used in
		*" $port "*) return 0 ;;
		esac
	done <"$STATE_DIR/etc/ports"
	return 1
}

# public_port_check PORT: says early that somebody else has the public port.
public_port_check() {
	if process_is_alive gateway && [ "$1" = "$(port_of public)" ]; then
		return 0
	fi
	ports_listening | grep -x "$1" >/dev/null || return 0
	die "port $1 is in use by another program" \
		"stop it (ss -ltnp 'sport = :$1' names it), or choose another: BERTH_PORT=9443 ./deploy/up --fresh"
}
