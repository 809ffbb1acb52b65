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
from billing_bridge.services.replays import ask_replay, drop_old_rows, replay_rows

__all__ = [
    "Applied",
    "Coming",
    "Taken",
    "ask_replay",
    "drop_old_rows",
    "record_raw",
    "recording",
    "register_replay",
    "replay_row",
    "replay_rows",
    "replayable",
    "take_events",
]
