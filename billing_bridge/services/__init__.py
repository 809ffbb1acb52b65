"""The writers of what other modules report."""

from billing_bridge.services.events import Taken, take_events
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
    "Taken",
    "record_raw",
    "recording",
    "register_replay",
    "replay_row",
    "replayable",
    "take_events",
]
