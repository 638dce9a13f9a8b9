# SPDX-License-Identifier: BSD-2-Clause
"""What only root can try."""

import os

import pytest


def needs_root(why):
    """Marks a test that is skipped for everybody else."""
    return pytest.mark.skipif(os.geteuid() != 0, reason=f"not root: {why}")
