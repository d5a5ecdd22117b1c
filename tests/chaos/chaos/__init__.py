# SPDX-License-Identifier: Apache-2.0
"""The chaos checker behind tests/chaos/run: clients, faults, a history, and what must hold in the end."""
