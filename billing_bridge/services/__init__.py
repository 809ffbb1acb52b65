"""The writers of what other modules report."""

from billing_bridge.services.raw import (
    Applied,
    Coming,
    record_raw,
    recording,
    register_replay,
    replay_row,
    replayable,
)

__all__ = [
    "Applied",
    "Coming",
    "record_raw",
    "recording",
    "register_replay",
    "replay_row",
    "replayable",
]
