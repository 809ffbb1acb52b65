"""Whose turn it is: lanes (a branch, or the chain) in turn, in a lane its runs in turn."""

import uuid
from collections import deque
from typing import Generic, Protocol, TypeVar

from marketing.delivery.dispatch.lease import Lease


class HasLease(Protocol):
    @property
    def lease(self) -> Lease: ...


B = TypeVar("B", bound=HasLease)


class Turns(Generic[B]):
    """The batches at hand; a run's are finished one after the other."""

    def __init__(self) -> None:
        self._lanes: deque[uuid.UUID] = deque()
        self._runs: dict[uuid.UUID, deque[uuid.UUID]] = {}
        self._batches: dict[uuid.UUID, deque[B]] = {}

    def __len__(self) -> int:
        """How many runs take turns."""
        return len(self._batches)

    def add(self, batch: B) -> None:
        """A run that is new has the next turn of its lane, a lane that is new the next of all."""
        lane, run_id = batch.lease.lane, batch.lease.run_id
        if run_id in self._batches:
            self._batches[run_id].append(batch)
            return
        self._batches[run_id] = deque([batch])
        if lane not in self._runs:
            self._runs[lane] = deque()
            self._lanes.appendleft(lane)
        self._runs[lane].appendleft(run_id)

    def remove(self, batch: B) -> None:
        lane, run_id = batch.lease.lane, batch.lease.run_id
        self._batches[run_id].remove(batch)
        if self._batches[run_id]:
            return
        del self._batches[run_id]
        self._runs[lane].remove(run_id)
        if not self._runs[lane]:
            del self._runs[lane]
            self._lanes.remove(lane)

    def next(self) -> B | None:
        """The batch whose turn it is; None when there is none."""
        if not self._lanes:
            return None
        self._lanes.rotate(-1)
        runs = self._runs[self._lanes[-1]]
        runs.rotate(-1)
        return self._batches[runs[-1]][0]
