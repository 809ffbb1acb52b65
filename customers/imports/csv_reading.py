"""CSV of any spelling: encoding and delimiter found out, quotes across lines, bad rows told."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from django.utils.translation import gettext as _

from customers.imports.limits import UnreadableFile

HEAD_BYTES = 256 * 1024
DELIMITERS = ",;\t|"
# In this order: the mark of UTF-32 begins like that of UTF-16.
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What a text without a mark may be when it has bytes of 0; the wider ones never read as others.
UNMARKED = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
# A file without line ends is not held whole.
LONGEST_LINE = 1_000_000


def detect_encoding(stream: BinaryIO) -> tuple[str, int]:
    """The encoding of the whole file, and how many line ends it has.

    What is not UTF-8 throughout is taken as Windows' own, as Excel saves it.
    """
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    encoding = next((name for bom, name in BOMS.items() if head.startswith(bom)), "")
    if not encoding and 0 in head:
        encoding = _unmarked(head)
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")()
    line_ends, carriage_returns = 0, 0
    while piece := stream.read(HEAD_BYTES):
        line_ends += piece.count(b"\n")
        carriage_returns += piece.count(b"\r")
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as error:
            if encoding:
                raise UnreadableFile(_("The text of this file is damaged.")) from error
            encoding = "cp1252"
            decoder = codecs.getincrementaldecoder("latin-1")()
    return encoding or "utf-8", line_ends or carriage_returns


def _unmarked(head: bytes) -> str:
    """The wide encoding in which the text has lines and no zeros, whatever its script; or ""."""
    for encoding in UNMARKED:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and any(end in text for end in "\r\n"):
            return encoding
    return ""


def detect_delimiter(head: str) -> str:
    """What parts the first rows into the most columns, as many in each."""

    def score(delimiter: str) -> tuple[int, int]:
        try:
            lines = io.StringIO(head, newline="")
            rows = [
                row
                for row, _at in zip(csv.reader(lines, delimiter=delimiter), range(20), strict=False)
            ]
        except csv.Error:
            return 0, 0
        if not rows or len(rows[0]) < 2:
            return 0, 0
        return sum(len(row) == len(rows[0]) for row in rows), len(rows[0])

    return max(DELIMITERS, key=score)


def read_rows(
    stream: BinaryIO, encoding: str, delimiter: str
) -> Iterator[tuple[int, list[str], str]]:
    """`(line it begins in, cells, code of a fault)` of each row that is not blank."""
    # Windows leaves five bytes without a meaning; they do not damage the rest of a name.
    text = io.TextIOWrapper(
        stream, encoding, errors="replace" if encoding == "cp1252" else "strict", newline=""
    )
    reader = csv.reader(_bounded_lines(text), delimiter=delimiter, strict=True)
    try:
        while True:
            begins = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "field limit" in str(error):
                    raise UnreadableFile(
                        _(
                            "A cell of line %(line)s holds more than %(max)s characters, "
                            "or its quote is never closed."
                        )
                        % {"line": begins, "max": f"{csv.field_size_limit():,}"}
                    ) from error
                if "expected after" not in str(error):
                    raise UnreadableFile(
                        _("The quote that opens in line %(line)s is never closed.")
                        % {"line": begins}
                    ) from error
                yield begins, [], "quotes"
                continue
            except UnicodeDecodeError as error:
                raise UnreadableFile(_("The text of this file is damaged.")) from error
            if any(cell.strip() for cell in cells):
                yield begins, cells, ""
    finally:
        # Whoever opened the file closes it, and may have done so.
        with suppress(ValueError):
            text.detach()


def _bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise UnreadableFile(_("Line %(line)s is far too long.") % {"line": number})
        yield line
