"""Ids that a statement counts are like those that PostgreSQL makes."""

import datetime as dt
import uuid

import pytest
from django.db import connection

from marketing.core import ids

pytestmark = pytest.mark.django_db


def test_counted_ids_rise_from_the_statements_moment_as_version_7():
    counted = ids.NTH_ID.format(n="n")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT array_agg({counted} ORDER BY n),"
            " uuid_bound(statement_timestamp() - interval '1 ms'),"
            " uuid_bound(statement_timestamp() + interval '21 ms')"
            " FROM generate_series(1, 10000) AS n"
        )
        made, earliest, latest = cursor.fetchone()
    assert made == sorted(set(made))
    assert len(made) == 10_000
    # Ten thousand, 2 microseconds apart.
    assert earliest < made[0] < made[-1] < latest
    assert {(made_id.version, made_id.variant) for made_id in made} == {(7, uuid.RFC_4122)}
    # No two share the moment that short links name them by.
    assert len({made_id.int >> 64 for made_id in made}) == 10_000


def test_two_statements_of_one_moment_make_different_ids():
    counted = ids.NTH_ID.format(n="n")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {counted} FROM generate_series(1, 1000) AS n"
            f" UNION ALL SELECT {counted} FROM generate_series(1, 1000) AS n"
        )
        made = [made_id for (made_id,) in cursor.fetchall()]
    assert len({made_id.int >> 64 for made_id in made}) == 1000
    assert len(set(made)) == 2000


def test_bound_lies_below_every_id_of_its_moment():
    moment = dt.datetime(2026, 11, 21, 12, 0, 0, 999_700, tzinfo=dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT uuid_bound(%s)", [moment])
        assert cursor.fetchone() == (ids.lower_bound(moment),)
