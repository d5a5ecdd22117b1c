# SPDX-License-Identifier: Apache-2.0
# The arrows of the private network, read from where they are declared: common/contract/peers.def.

PEERS_FILE=$CHECKOUT_DIR/common/contract/peers.def

# peers_table: one "caller callee lane" a line.
peers_table() {
	sed -n 's/^[[:space:]]*ARROW(\([a-z]*\), *\([a-z]*\), *\([A-Z]*\)).*/\1 \2 \3/p' "$PEERS_FILE" | grep . ||
		die "no arrow is declared in $PEERS_FILE" "take a whole checkout"
}
