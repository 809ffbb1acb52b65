"""Services that call each other are one whole: with one savepoint, and undone together."""

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from marketing.core import nudge
from marketing.core.models import Region
from marketing.core.whole import whole


@whole()
def inner(name, refuse=False):
    Region.objects.create(name=name)
    if refuse:
        raise ValueError(name)


def names():
    return set(Region.objects.filter(name__startswith="whole").values_list("name", flat=True))


def test_what_joins_takes_no_savepoint_of_its_own(chain):
    with CaptureQueriesContext(connection) as asked, whole():
        inner("whole 1")
        inner("whole 2")
    savepoints = [each["sql"] for each in asked if each["sql"].startswith("SAVEPOINT")]
    assert len(savepoints) == 1
    assert names() == {"whole 1", "whole 2"}


@whole()
def refused():
    inner("whole 1")
    inner("whole 2", refuse=True)


def test_a_refusal_undoes_the_outermost(chain):
    with pytest.raises(ValueError, match="whole 2"):
        refused()
    assert names() == set()


@whole()
def refused_and_gone_on():
    try:
        refused()
    except ValueError:
        inner("whole 3")


def test_who_catches_without_a_savepoint_can_do_nothing_more(chain):
    with pytest.raises(TransactionManagementError):
        refused_and_gone_on()
    assert names() == set()


def test_who_catches_around_a_savepoint_goes_on(chain):
    with whole():
        inner("whole 1")
        with pytest.raises(ValueError, match="whole 2"), transaction.atomic():
            inner("whole 2", refuse=True)
        inner("whole 3")
    assert names() == {"whole 1", "whole 3"}


class Task:
    name = "a task"

    def __init__(self):
        self.asked = []

    def apply_async(self, args, countdown, retry):
        self.asked.append((args, countdown))


def test_a_task_is_asked_for_once_in_the_second_before_it_begins(monkeypatch):
    task, now = Task(), [100.0]
    monkeypatch.setattr(nudge, "_begins", {})
    monkeypatch.setattr(nudge.time, "monotonic", lambda: now[0])
    for moment in (100.0, 100.9, 101.0):
        now[0] = moment
        nudge.nudge_soon(task, "salon")
    nudge.nudge_soon(task, "another")
    assert task.asked == [(("salon",), 1.0), (("salon",), 1.0), (("another",), 1.0)]
