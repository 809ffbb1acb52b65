"""Whose turn it is, without a clock: lanes in turn, and in a lane its runs."""

import itertools
import uuid
from collections import Counter
from dataclasses import dataclass

from marketing.delivery.dispatch.turns import Turns


@dataclass
class StubLease:
    lane: uuid.UUID
    run_id: uuid.UUID


@dataclass(eq=False)
class StubBatch:
    lease: StubLease


def batch(lane, run_id=None):
    return StubBatch(StubLease(lane, run_id or uuid.uuid4()))


def taken(turns, count):
    return [turns.next() for _ in range(count)]


class TestTurns:
    def test_nothing_at_hand_is_nobodys_turn(self):
        assert Turns().next() is None

    def test_runs_of_one_lane_alternate(self):
        turns, lane = Turns(), uuid.uuid4()
        large, small = batch(lane), batch(lane)
        turns.add(large)
        turns.add(small)
        order = taken(turns, 10)
        assert Counter(order) == {large: 5, small: 5}
        assert all(one is not following for one, following in itertools.pairwise(order))

    def test_lane_with_one_run_has_as_many_turns_as_a_lane_with_three(self):
        turns, north, south = Turns(), uuid.uuid4(), uuid.uuid4()
        of_north = [batch(north) for _ in range(3)]
        of_south = batch(south)
        for one in [*of_north, of_south]:
            turns.add(one)
        counts = Counter(taken(turns, 60))
        assert counts == {of_south: 30} | dict.fromkeys(of_north, 10)

    def test_new_run_has_the_next_turn_of_its_lane(self):
        turns, lane = Turns(), uuid.uuid4()
        for _ in range(3):
            turns.add(batch(lane))
        turns.next()
        late = batch(lane)
        turns.add(late)
        assert turns.next() is late

    def test_batches_of_a_run_are_finished_one_after_the_other(self):
        turns, lane, run_id = Turns(), uuid.uuid4(), uuid.uuid4()
        first, second = batch(lane, run_id), batch(lane, run_id)
        turns.add(first)
        turns.add(second)
        assert taken(turns, 3) == [first] * 3
        turns.remove(first)
        assert taken(turns, 3) == [second] * 3

    def test_lane_whose_last_batch_went_has_no_more_turns(self):
        turns, stays = Turns(), batch(uuid.uuid4())
        gone = batch(uuid.uuid4())
        turns.add(stays)
        turns.add(gone)
        turns.remove(gone)
        assert taken(turns, 4) == [stays] * 4
        turns.remove(stays)
        assert turns.next() is None
