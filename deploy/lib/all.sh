# SPDX-License-Identifier: Apache-2.0
# Every part, in the order in which they lean on each other.

LIB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source-path=SCRIPTDIR
for part in common rundir peers ports secrets process postgres redis mail config services stores suite packages build demo; do
	# shellcheck disable=SC1090  # each of the names above
	. "$LIB_DIR/$part.sh"
done
# shellcheck source-path=SCRIPTDIR/.. source=pki/pki.sh
. "$DEPLOY_DIR/pki/pki.sh"
