"""The periodic tasks that the code owns, kept in django-celery-beat's tables."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

PREFIX = "system:"


@dataclass(frozen=True)
class Changes:
    """How many of the rows were made, altered and switched off."""

    made: int
    altered: int
    stopped: int


@transaction.atomic
def sync(schedules: Mapping[str, dt.timedelta | str]) -> Changes:
    """Make the rows named `system:<task>` say what `schedules` says; touch no others.

    A row that is right already is not written, so that beat does not start its waiting anew.
    A task that is no longer listed is switched off.
    """
    known = {row.name: row for row in PeriodicTask.objects.filter(name__startswith=PREFIX)}
    made = altered = 0
    for task, when in schedules.items():
        wanted: dict[str, Any] = {"task": task, "enabled": True, **_schedule(when)}
        row = known.pop(f"{PREFIX}{task}", None)
        if row is None:
            PeriodicTask.objects.create(name=f"{PREFIX}{task}", **wanted)
            made += 1
        elif any(getattr(row, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(row, name, value)
            row.save()
            altered += 1
    stopped = 0
    for row in known.values():
        if row.enabled:
            row.enabled = False
            row.save()
            stopped += 1
    return Changes(made, altered, stopped)


def _schedule(when: dt.timedelta | str) -> dict[str, Any]:
    """The columns of a row; what was not started by its next turn is not worth starting."""
    if isinstance(when, dt.timedelta):
        seconds = int(when.total_seconds())
        interval, _ = IntervalSchedule.objects.get_or_create(
            every=seconds, period=IntervalSchedule.SECONDS
        )
        return {"interval": interval, "crontab": None, "expire_seconds": seconds}
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    fields = dict(zip(names, when.split(), strict=True))
    crontab, _ = CrontabSchedule.objects.get_or_create(**fields, timezone="UTC")
    return {"interval": None, "crontab": crontab, "expire_seconds": None}
