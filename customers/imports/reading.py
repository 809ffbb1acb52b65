"""Files as rows of text, streamed: which kind a file is, its headers, and its lines."""

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from django.utils.translation import gettext as _

from customers.imports import csv_reading, xlsx_reading
from customers.imports.limits import MAX_COLUMNS, MAX_ROWS, UnreadableFile

SAMPLES = 3
ZIP_MAGIC = b"PK\x03\x04"
# Any control character; line ends and tabs are spaces in a name.
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# What a damaged zip, or one that only looks like a workbook, makes its readers raise.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
OLD_EXCEL_MAGIC = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True)
class Line:
    """One row of the file; `fault` is a code of `validation` when it could not be cut in cells."""

    number: int
    cells: list[str]
    fault: str = ""


@dataclass(frozen=True)
class Outline:
    """What is known of a file before its rows are read; `rows` is a guess for progress bars."""

    format: str
    headers: list[str]
    samples: list[list[str]]
    encoding: str = ""
    delimiter: str = ""
    rows: int = 0


def outline(stream: BinaryIO) -> Outline:
    """Look at a seekable file: raises `UnreadableFile` when it cannot be imported."""
    magic = stream.read(4)
    stream.seek(0)
    if not magic:
        raise UnreadableFile(_("The file is empty."))
    if magic == OLD_EXCEL_MAGIC:
        raise UnreadableFile(
            _(
                "This is an old or protected Excel file. "
                "Save it as .xlsx without a password, or as CSV."
            )
        )
    found = Outline("xlsx", [], []) if magic == ZIP_MAGIC else _outline_csv(stream)
    with closing(_lines(stream, found.format, found.encoding, found.delimiter)) as lines:
        first = next(lines, None)
        if first is None:
            raise UnreadableFile(_("The file is empty."))
        headers = [" ".join(cell.split())[:200] for cell in first.cells]
        while headers and not headers[-1]:
            headers.pop()
        _check_headers(headers)
        samples = [line.cells[: len(headers)] for line in islice(lines, SAMPLES)]
    if not samples:
        raise UnreadableFile(_("The file has a line of headers, but no rows."))
    return Outline(found.format, headers, samples, found.encoding, found.delimiter, found.rows)


def read_lines(
    stream: BinaryIO, *, format: str, encoding: str, delimiter: str, after: int = 0
) -> Iterator[Line]:
    """The rows below the headers, those beyond line `after`; blank ones are left out.

    Raises `UnreadableFile` where the file is broken or longer than `MAX_ROWS`.
    """
    lines = _lines(stream, format, encoding, delimiter)
    next(lines, None)
    for count, line in enumerate(lines, start=1):
        if count > MAX_ROWS:
            raise UnreadableFile(
                _("The file has more than %(max)s rows. Cut it in two.") % {"max": f"{MAX_ROWS:,}"}
            )
        if line.number > after:
            yield line


def _lines(
    stream: BinaryIO, format: str, encoding: str, delimiter: str
) -> Generator[Line, None, None]:
    stream.seek(0)
    if format == "xlsx":
        try:
            for number, cells in xlsx_reading.read_rows(stream):
                yield Line(number, cells)
        except UnreadableFile:
            raise
        except DAMAGE as error:
            raise UnreadableFile(_("This is not a readable Excel file.")) from error
    else:
        for number, cells, fault in csv_reading.read_rows(stream, encoding, delimiter):
            yield Line(number, cells, fault)


def _outline_csv(stream: BinaryIO) -> Outline:
    encoding, rows = csv_reading.detect_encoding(stream)
    stream.seek(0)
    head = io.TextIOWrapper(
        io.BytesIO(stream.read(csv_reading.HEAD_BYTES)), encoding, errors="ignore", newline=""
    ).read()
    stream.seek(0)
    return Outline("csv", [], [], encoding, csv_reading.detect_delimiter(head), rows)


def _check_headers(headers: list[str]) -> None:
    if not headers:
        raise UnreadableFile(_("The first line has to name the columns."))
    if any(map(CONTROL.search, headers)):
        raise UnreadableFile(_("The first line holds characters that are not text."))
    if len(headers) > MAX_COLUMNS:
        raise UnreadableFile(
            _(
                "The file has %(count)s columns; at most %(max)s are read. "
                "Take out what is not needed."
            )
            % {"count": len(headers), "max": MAX_COLUMNS}
        )
    counted = Counter(header.casefold() for header in headers if header)
    twice = list(dict.fromkeys(h for h in headers if counted[h.casefold()] > 1))
    if twice:
        raise UnreadableFile(
            _("These headers stand more than once: %(headers)s. Give each column its own.")
            % {"headers": ", ".join(twice)}
        )
