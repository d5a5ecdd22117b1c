# SPDX-License-Identifier: Apache-2.0
"""A suite in a network of its own, where each packet is counted that goes anywhere but between its processes: to another port of the machine, or out, where nobody is."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import subprocess

import pytest

from berth_own_suite import own_suite

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
OWN = pathlib.Path("/proc/thread-self/ns/net")
# What nobody answers: a cable with an address and all routes, whose other end has neither.
WAY_OUT = """link set lo up
link add name out type veth peer name end
address add 192.0.2.1/24 dev out
address add 2001:db8::1/64 dev out nodad
link set out up
link set end up
route add default dev out
route add ::/0 dev out
"""
# Neighbours are looked for by the kernel itself.
RULES = """table inet berth {{
	set ports {{ type inet_service; elements = {{ {ports} }} }}
	counter strays {{ }}
	chain leaving {{
		type filter hook output priority 0;
		meta l4proto ipv6-icmp icmpv6 type != {{ echo-request }} accept
		tcp sport @ports accept
		tcp dport @ports accept
		counter name strays
	}}
}}
"""


def failed(code):
    if code:
        raise OSError(ctypes.get_errno(), "no network of its own")


class OwnNetwork:
    """While inside, this thread and what it starts are in the network. `suite` is there."""

    def __enter__(self):
        if os.geteuid() or not (shutil.which("nft") and shutil.which("ip")):
            pytest.skip("a network of its own takes root, ip and nft")
        with contextlib.ExitStack() as undo:
            home = os.open(OWN, os.O_RDONLY)
            undo.callback(os.close, home)
            failed(LIBC.unshare(CLONE_NEWNET))
            undo.callback(lambda: failed(LIBC.setns(home, CLONE_NEWNET)))
            subprocess.run(["ip", "-batch", "-"], input=WAY_OUT, text=True, check=True)
            self.suite = undo.enter_context(own_suite())
            ports = (self.suite.state / "etc" / "ports").read_text().split()[1::2]
            subprocess.run(["nft", "-f", "-"], input=RULES.format(ports=", ".join(ports)), text=True, check=True)
            self.undo = undo.pop_all()
        return self

    def __exit__(self, *_):
        self.undo.close()

    def belongs(self, *ports):
        """These are the suite's too."""
        subprocess.run(["nft", "add", "element", "inet", "berth", "ports", "{ " + ", ".join(map(str, ports)) + " }"], check=True)

    def strays(self):
        """How many packets have gone elsewhere."""
        words = subprocess.run(["nft", "list", "counter", "inet", "berth", "strays"], capture_output=True, text=True, check=True).stdout.split()
        return int(words[words.index("packets") + 1])
