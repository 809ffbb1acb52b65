"""The one place where the present is read, so that tests and benches can live in another."""

import datetime as dt

from django.utils import timezone


def now() -> dt.datetime:
    """The present, in UTC."""
    return timezone.now()
