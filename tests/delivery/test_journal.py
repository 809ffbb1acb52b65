"""What a worker notes is what the next one reads, and nothing it cannot read stops it."""

import uuid

import pytest

from marketing.delivery.dispatch import journal
from marketing.delivery.dispatch.journal import Journal
from marketing.delivery.dispatch.lease import Lease
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.rules import Result, ResultClass


@pytest.fixture(autouse=True)
def spool(tmp_path, settings):
    settings.SPOOL_DIR = tmp_path
    return tmp_path / "journal"


def outcome(kind=ResultClass.ACCEPTED, **values):
    return Outcome(uuid.uuid4(), Result(kind, **values), tries=2, segments=3)


def left_behind(*outcomes, started=()):
    notes = Journal()
    notes.start(started)
    notes.answers(outcomes)
    notes.leave()
    return notes


class TestNotes:
    def test_all_that_was_noted_is_read(self):
        lease = Lease(
            7, *(uuid.uuid4() for _ in range(3)), "sms", 0, uuid.uuid4(), 9,
            *(uuid.uuid4() for _ in range(3)),
        )  # fmt: skip
        started = [uuid.uuid4(), uuid.uuid4()]
        outcomes = [
            outcome(reference="wamid.HBgM"),
            outcome(ResultClass.RETRY, code="429", retry_after=2.5, slows=True),
            outcome(ResultClass.FAIL_RECIPIENT, detail="नमस्ते 🙏 “\n", suppress="invalid"),
        ]
        notes = Journal()
        notes.lease(lease)
        notes.start(started)
        notes.answers(outcomes[:1])
        notes.answers(outcomes[1:])
        found = journal.read(notes.path)
        notes.close()
        assert found.leases == [(7, lease.tenant_id, lease.token)]
        assert found.started == set(started)
        assert found.answers == {one.message_id: one for one in outcomes}

    def test_the_last_answer_counts(self):
        first = outcome(ResultClass.RETRY)
        last = Outcome(first.message_id, Result(ResultClass.ACCEPTED))
        notes = left_behind(first, last)
        assert journal.read(notes.path).answers == {first.message_id: last}


class TestAbandoned:
    def test_files_go_when_they_were_settled(self, spool):
        answered = outcome()
        left_behind(answered)
        with journal.abandoned() as (notes,):
            assert set(notes.answers) == {answered.message_id}
        assert list(spool.iterdir()) == []

    def test_files_stay_when_settling_failed(self, spool):
        left_behind(outcome())
        with pytest.raises(RuntimeError), journal.abandoned():
            raise RuntimeError
        with journal.abandoned() as found:
            assert len(found) == 1

    @pytest.mark.parametrize("line", [b"{", b'["answers",[["an","older","form"]]]', b'["start"]'])
    def test_one_that_cannot_be_read_is_kept_and_stops_nobody(self, spool, line):
        broken = left_behind()
        broken.path.write_bytes(line + b"\n")
        answered = outcome()
        left_behind(answered)
        with journal.abandoned() as (notes,):
            assert set(notes.answers) == {answered.message_id}
        assert [path.suffix for path in spool.iterdir()] == [".unreadable"]
