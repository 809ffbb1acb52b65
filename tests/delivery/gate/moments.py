"""Times of day in India, and what a message outside its hours looks like."""

import datetime as dt

INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
DAY, NIGHT = (dt.time(9), dt.time(21)), (dt.time(22), dt.time(6))
ALL_DAY = (dt.time(0), dt.time(0))
INSTANT = dt.timedelta(microseconds=1)
HELD = ("held", "outside_window")


def local(hour, minute, second=0):
    """That time of the clock on the wall in India, where every branch of the chain is."""
    return dt.datetime(2026, 11, 20, hour, minute, second, tzinfo=INDIA)
