# SPDX-License-Identifier: Apache-2.0
# The arrows of the private network: who may call whom, and in which lanes. One "caller callee lane" a line.
# The truth is common/contract/peers.def; this table only gives each arrow its port and is checked against it by peers_check.

peers_table() {
	cat <<-'END'
		gateway authsvc FAST
		gateway authsvc SLOW
		gateway bookingsvc FAST
		gateway bookingsvc SLOW
		gateway auditsvc FAST
		gateway auditsvc SLOW
		gateway gdprsvc FAST
		gateway gdprsvc SLOW
		authsvc auditsvc FAST
		bookingsvc auditsvc FAST
		gdprsvc auditsvc FAST
		gdprsvc auditsvc SLOW
		bookingsvc authsvc FAST
		auditsvc authsvc FAST
		gdprsvc authsvc FAST
		gdprsvc authsvc SLOW
		gdprsvc bookingsvc SLOW
		authsvc gdprsvc FAST
	END
}
