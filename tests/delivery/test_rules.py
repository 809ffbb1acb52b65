"""How states follow one another, and how long a retry waits."""

import datetime as dt

import pytest
from django.db import connection

from marketing.delivery.models import MessageState
from marketing.delivery.rules import RANK, ResultClass, by_http_status, retry_delay


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("sending", "sent", True),
        ("sent", "delivered", True),
        ("delivered", "read", True),
        ("unknown", "sent", True),
        ("sent", "failed", True),
        ("sending", "read", True),
        ("read", "delivered", False),
        ("delivered", "sent", False),
        ("read", "failed", False),
        ("delivered", "delivered", False),
    ],
)
def test_states_only_move_forwards(old, new, expected):
    assert (RANK[new] > RANK[old]) is expected


def test_the_database_ranks_states_as_the_rules_do(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s, delivery_rank(s) FROM unnest(%s::text[]) AS s", [MessageState.values]
        )
        assert dict(cursor.fetchall()) == RANK


def test_retries_double_and_are_bounded():
    assert retry_delay(1, None) == dt.timedelta(seconds=2)
    assert retry_delay(3, None) == dt.timedelta(seconds=8)
    assert retry_delay(20, None) == dt.timedelta(minutes=5)


def test_retry_after_is_obeyed():
    assert retry_delay(1, 30) == dt.timedelta(seconds=30)
    assert retry_delay(1, 30, spread=1.0) == dt.timedelta(seconds=30)


def test_what_was_refused_together_comes_back_apart():
    assert [retry_delay(3, None, spread).total_seconds() for spread in (0, 0.5, 1)] == [8, 10, 12]


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ((200, 201, 202, 204), ResultClass.ACCEPTED),
        ((429, 500, 502, 503), ResultClass.RETRY),
        ((504, 520, 524, 599), ResultClass.UNKNOWN),
        ((401, 403), ResultClass.FAIL_ACCOUNT),
        ((400, 404, 405, 413, 422, 501), ResultClass.FAIL_CONTENT),
    ],
)
def test_only_what_was_surely_refused_is_tried_again(statuses, kind):
    assert {by_http_status(status) for status in statuses} == {kind}
