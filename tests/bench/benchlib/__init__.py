# SPDX-License-Identifier: Apache-2.0
"""The bench behind ./tests/bench/run."""
