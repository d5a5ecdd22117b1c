# SPDX-License-Identifier: Apache-2.0
# Everything that stands before the five processes: places, secrets, certificates, configuration, and the stores.

suite_prepare() {
	ports_prepare
	secrets_prepare
	pki_prepare
	config_prepare
}

stores_start() {
	local name
	for name in "${STORE_NAMES[@]}"; do
		process_is_alive "$name" || note "starting $name"
		"${name}_start"
	done
	postgres_bootstrap
}

# anything_start NAME, anything_stop NAME: one of the five, or a store.
anything_start() {
	if one_of "$1" "${STORE_NAMES[@]}"; then
		"$1_start"
	else
		service_start "$1"
	fi
}

anything_stop() {
	if one_of "$1" "${STORE_NAMES[@]}"; then
		"$1_stop"
	else
		service_stop "$1"
	fi
}

# suite_stop: callers before callees, stores last.
suite_stop() {
	local name
	for name in gateway gdprsvc bookingsvc authsvc auditsvc mail redis postgres; do
		process_is_alive "$name" && note "stopping $name"
		anything_stop "$name"
	done
}
