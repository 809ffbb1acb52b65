"""CSV piece by piece, safe to open in a spreadsheet."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

# Without it Excel takes UTF-8 for its own code page.
BOM = "\ufeff"
# OWASP's list of beginnings, also behind blanks and unseen signs, and as East Asian wide and small
# signs: spreadsheets cut the former off and take the latter for the plain ones.
FORMULA = re.compile(
    r"'*(?:[\t\r\n]|[\s\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b])"
)


class _Echo:
    """Gives back what is written, so that a writer's line can be yielded."""

    def write(self, text: str) -> str:
        return text


def guarded(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula begins with an apostrophe.

    The import takes one such apostrophe away again. Numbers stay numbers.
    """
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def write_csv(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BOM + writer.writerow(list(map(guarded, headings)))
    for row in rows:
        yield writer.writerow(list(map(guarded, row)))
