"""Payloads as the vendors send them, one file each."""

from pathlib import Path

import pytest


@pytest.fixture
def payload():
    """The bytes of `payloads/<name>`."""
    return lambda name: (Path(__file__).parent / "payloads" / name).read_bytes()
