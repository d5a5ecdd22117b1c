# SPDX-License-Identifier: Apache-2.0
# The build tree: the release preset, unless BERTH_BUILD_DIR names another tree (a sanitizer build, say).

build_locate() {
	BUILD_DIR=${BERTH_BUILD_DIR:-$CHECKOUT_DIR/.build/release}
	case $BUILD_DIR in
	/*) ;;
	*) BUILD_DIR=$PWD/$BUILD_DIR ;;
	esac
}

# build_all: the five binaries are up to date. A tree named by BERTH_BUILD_DIR must have been configured by whoever named it.
build_all() {
	local log
	if [ ! -f "$BUILD_DIR/CMakeCache.txt" ]; then
		if [ -n "${BERTH_BUILD_DIR:-}" ]; then
			(service_built gateway >/dev/null 2>&1) && return 0	# binaries made elsewhere
			die "BERTH_BUILD_DIR=$BUILD_DIR is no build tree" "configure it: cmake --preset PRESET (cmake --list-presets names them)"
		fi
		[ -f "$CHECKOUT_DIR/CMakeLists.txt" ] || die "there is no CMakeLists.txt in $CHECKOUT_DIR" "take a whole checkout"
	fi
	mkdir -p "$BUILD_DIR"
	exec 8>>"$BUILD_DIR/.up.lock"
	if ! flock -n 8; then
		note "another command builds in $BUILD_DIR: waiting for it"
		flock -w 900 8 || die "the build lock was not released" "look who builds in $BUILD_DIR"
	fi
	log=$STATE_DIR/logs/build.log
	if [ ! -f "$BUILD_DIR/CMakeCache.txt" ]; then
		(cd "$CHECKOUT_DIR" && run_logged "configuring" "$log" cmake --preset release)
	fi
	(cd "$CHECKOUT_DIR" && run_logged "building" "$log" cmake --build "$BUILD_DIR" --target "${PROCESS_NAMES[@]}")
	exec 8>&-
}
