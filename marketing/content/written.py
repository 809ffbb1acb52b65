"""Values as a message writes them: dates in the reader's words, nothing for what is missing."""

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import lru_cache

from babel.dates import format_date

from marketing.content import merge_fields
from marketing.content.markup import Value


def written_values(
    names: Iterable[str], variables: Mapping[str, str], language: str
) -> dict[str, Value]:
    """What to fill in for the names: dates in the reader's words, None for missing values."""
    return {
        name: written(merge_fields.kind(name), variables.get(name) or "", language)
        for name in names
    }


def written(kind: str, value: str, language: str) -> Value:
    """A value as this language writes it; None when there is none."""
    if not value or value.isspace():
        return None
    if kind == merge_fields.NUMBER and value.isdecimal():
        return int(value)
    if kind in (merge_fields.DATE, merge_fields.DAY_OF_YEAR):
        return _date(kind, value, language)
    return value


@lru_cache(maxsize=4096)
def _date(kind: str, value: str, language: str) -> str:
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        return value
    # Babel's month names are CLDR's; Django's own Hindi ones are misspelt.
    return format_date(day, "d MMMM y" if kind == merge_fields.DATE else "d MMMM", locale=language)
