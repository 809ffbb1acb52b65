"""When a recurring campaign goes: rules of RFC 5545, in the clock time of the chain.

A rule is one line, and where single dates are skipped a second one:

    FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=10;BYMINUTE=30;BYSECOND=0;COUNT=8
    EXDATE;VALUE=DATE:20261109,20261116

It goes at most once a day. `COUNT` is of the dates that are not skipped, and `UNTIL` holds in
local time, to the end of its day where it names only a day. Looking for a date takes no more
than some milliseconds, whatever the rule: dates are looked for within ten years.
Nothing here reads the database or the clock.
"""

from marketing.campaigns.recurrence.moments import (
    Silence,
    first_occurrences,
    next_occurrence,
    occurrences,
    silence,
)
from marketing.campaigns.recurrence.reading import (
    LONGEST_RULE,
    MOST_SKIPPED,
    Fault,
    RecurrenceError,
    canonical,
    parse,
    with_skipped,
)
from marketing.campaigns.recurrence.repetition import Repetition, laid_over, recurrence_parts

__all__ = [
    "LONGEST_RULE",
    "MOST_SKIPPED",
    "Fault",
    "RecurrenceError",
    "Repetition",
    "Silence",
    "canonical",
    "first_occurrences",
    "laid_over",
    "next_occurrence",
    "occurrences",
    "parse",
    "recurrence_parts",
    "silence",
    "with_skipped",
]
