"""The first sheet of an Excel workbook, row by row, in constant memory.

A workbook is a zip of XML. It is parsed as it streams out of the zip, and its table of shared
texts goes to a temporary file: libraries that hold a sheet take gigabytes for a million rows.
"""

import posixpath
import re
import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import BinaryIO
from xml.parsers import expat

from django.utils.translation import gettext as _

from customers.imports.limits import MAX_CELL, MAX_COLUMNS, UnreadableFile

PIECE = 64 * 1024
MAX_UNPACKED = 2 * 1024**3
MAX_MEMBERS = 2_000
# Sheets shrink ten- to fiftyfold; what shrinks more from this size on was made to fill memory.
MAX_RATIO, RATIO_FROM = 200, 10 * 1024**2
BUILT_IN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
NOT_A_DATE = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
LAST_ROW = 1_048_576
NO_VALUE = "#VALUE!"
# What stands in a cell whose formula failed; the same in an Excel of any language.
ERRORS = {
    "#REF!", "#N/A", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", NO_VALUE,
}  # fmt: skip
CELL_COLUMN = re.compile(r"[A-Z]{1,3}")
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)

Attributes = dict[str, str]


def read_rows(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """`(number of the row, cells as text)` of each row that is not blank; dates as ISO 8601."""
    with zipfile.ZipFile(stream) as book:
        refuse_bombs(book)
        sheet, epoch = _first_sheet(book)
        with _SharedTexts(book) as texts:
            yield from _Sheet(texts, _date_styles(book), epoch).rows(book, sheet)


def refuse_bombs(book: zipfile.ZipFile) -> None:
    """Judge by the directory of the zip, before anything is unpacked.

    `zipfile` never unpacks more of a member than the directory promised.
    """
    members = book.infolist()
    unpacked = sum(member.file_size for member in members)
    bombs = [
        member
        for member in members
        if member.file_size > RATIO_FROM
        and member.file_size > MAX_RATIO * max(member.compress_size, 1)
    ]
    if bombs or unpacked > MAX_UNPACKED or len(members) > MAX_MEMBERS:
        raise UnreadableFile(
            _("Unpacked, this Excel file would be far too large. Save its rows as CSV.")
        )


def _parse(
    book: zipfile.ZipFile,
    name: str,
    *,
    begin: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Feed a member to the handlers; pauses after each piece. Names come without prefixes."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, found: begin(tag.rpartition(" ")[2], found)
    if end:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(" ")[2])
    if text:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        with book.open(name) as member:
            while piece := member.read(PIECE):
                parser.Parse(piece)
                yield
            parser.Parse(b"", True)
            yield
    except expat.ExpatError as error:
        raise UnreadableFile(_("This is not a readable Excel file.")) from error


def _refuse_doctype(*_declared: object) -> None:
    raise UnreadableFile(_("This is not a readable Excel file."))


def _first_sheet(book: zipfile.ZipFile) -> tuple[str, datetime]:
    sheets: list[str] = []
    targets: dict[str, str] = {}
    epoch = EPOCH

    def workbook(tag: str, found: Attributes) -> None:
        nonlocal epoch
        if tag == "sheet" and found.get("state", "visible") == "visible":
            sheets.extend(value for key, value in found.items() if key.endswith(" id"))
        elif tag == "workbookPr" and found.get("date1904") in {"1", "true"}:
            epoch = EPOCH_1904

    def relations(tag: str, found: Attributes) -> None:
        if tag == "Relationship":
            targets[found["Id"]] = found["Target"]

    for _piece in _parse(book, "xl/workbook.xml", begin=workbook):
        pass
    for _piece in _parse(book, "xl/_rels/workbook.xml.rels", begin=relations):
        pass
    if not sheets:
        raise UnreadableFile(_("The Excel file has no sheet to be seen."))
    target = targets[sheets[0]]
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/"), epoch


def _date_styles(book: zipfile.ZipFile) -> list[bool]:
    """For each cell style whether its numbers are dates."""
    formats: dict[int, str] = {}
    styles: list[bool] = []
    inside = False

    def is_date(number: int) -> bool:
        bare = NOT_A_DATE.sub("", formats.get(number, "")).lower()
        return number in BUILT_IN_DATES or any(letter in bare for letter in "dy")

    def begin(tag: str, found: Attributes) -> None:
        nonlocal inside
        if tag == "numFmt":
            formats[int(found["numFmtId"])] = found.get("formatCode", "")
        elif tag == "cellXfs":
            inside = True
        elif tag == "xf" and inside:
            styles.append(is_date(int(found.get("numFmtId", 0))))

    def end(tag: str) -> None:
        nonlocal inside
        if tag == "cellXfs":
            inside = False

    if "xl/styles.xml" in book.namelist():
        for _piece in _parse(book, "xl/styles.xml", begin=begin, end=end):
            pass
    return styles


class _SharedTexts:
    """The workbook's table of texts, on disk; in memory only where each begins."""

    def __init__(self, book: zipfile.ZipFile) -> None:
        self._book = book
        self._ends = array("Q", [0])

    def __enter__(self) -> "_SharedTexts":
        self._file = tempfile.TemporaryFile(prefix="import-")
        if "xl/sharedStrings.xml" in self._book.namelist():
            self._fill()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._file.close()

    def __getitem__(self, number: int) -> str:
        if number < 0:
            raise IndexError(number)
        begins, ends = self._ends[number], self._ends[number + 1]
        self._file.seek(begins)
        return self._file.read(ends - begins).decode()

    def _fill(self) -> None:
        pieces: list[str] = []
        spoken = written = 0

        def begin(tag: str, _found: Attributes) -> None:
            nonlocal spoken
            if tag == "si":
                pieces.clear()
            # How a word is pronounced (rPh) is not part of it.
            spoken += tag == "rPh"

        def text(words: str) -> None:
            if not spoken:
                pieces.append(words)

        def end(tag: str) -> None:
            nonlocal spoken, written
            spoken -= tag == "rPh"
            if tag == "si":
                whole = "".join(pieces)[: MAX_CELL + 1].encode()
                self._file.write(whole)
                written += len(whole)
                self._ends.append(written)

        for _piece in _parse(self._book, "xl/sharedStrings.xml", begin=begin, end=end, text=text):
            pass


@dataclass
class _Cell:
    column: int = 0
    kind: str = "n"
    style: int = 0


class _Sheet:
    """Turns the parser's calls into rows."""

    def __init__(self, texts: _SharedTexts, dates: list[bool], epoch: datetime) -> None:
        self._texts, self._dates, self._epoch = texts, dates, epoch
        self._ready: list[tuple[int, list[str]]] = []
        self._number = 0
        self._cells: list[str] = []
        self._cell = _Cell()
        self._next = 0
        self._value: list[str] = []
        self._listens = False

    def rows(self, book: zipfile.ZipFile, sheet: str) -> Iterator[tuple[int, list[str]]]:
        for _piece in _parse(book, sheet, begin=self._begin, end=self._end, text=self._text):
            yield from self._ready
            self._ready.clear()

    def _begin(self, tag: str, found: Attributes) -> None:
        if tag == "c":
            self._cell = _Cell(
                self._column(found.get("r")), found.get("t", "n"), self._whole(found.get("s", "0"))
            )
            self._next = self._cell.column + 1
            self._value.clear()
        elif tag == "row":
            given = self._whole(found.get("r", "0"))
            # Numbers that are missing or come again count on: no row is lost over its number.
            self._number = given if given > self._number else self._number + 1
            self._cells, self._next = [], 0
        self._listens = tag in {"v", "t"}

    def _text(self, words: str) -> None:
        if self._listens:
            self._value.append(words)

    def _end(self, tag: str) -> None:
        self._listens = False
        if tag == "c" and self._value:
            column = self._cell.column
            if column >= MAX_COLUMNS:
                raise UnreadableFile(
                    _("Row %(row)s has more than %(max)s columns.")
                    % {"row": self._number, "max": MAX_COLUMNS}
                )
            self._cells.extend([""] * (column + 1 - len(self._cells)))
            self._cells[column] = self._shown("".join(self._value)[: MAX_CELL + 1])
            self._value.clear()
        elif tag == "row" and any(cell.strip() for cell in self._cells):
            self._ready.append((self._number, self._cells))

    def _whole(self, text: str) -> int:
        if not text.isdecimal() or len(text) > len(str(LAST_ROW)) or int(text) > LAST_ROW:
            raise self._damaged()
        return int(text)

    def _damaged(self) -> UnreadableFile:
        return UnreadableFile(
            _("The Excel file is damaged in or after row %(row)s.") % {"row": self._number}
        )

    def _column(self, reference: str | None) -> int:
        found = CELL_COLUMN.match(reference or "")
        if found is None:
            return self._next
        number = 0
        for letter in found[0]:
            number = number * 26 + ord(letter) - 64
        return number - 1

    def _shown(self, value: str) -> str:
        try:
            match self._cell.kind:
                case "s":
                    return self._texts[int(value)]
                case "e":
                    return value if value in ERRORS else NO_VALUE
                case "b":
                    return "yes" if value == "1" else "no"
                case "n":
                    return self._number_shown(float(value), value)
        except (ValueError, IndexError, OverflowError) as error:
            raise self._damaged() from error
        return value

    def _number_shown(self, number: float, written: str) -> str:
        if not isfinite(number):
            return NO_VALUE
        style = self._cell.style
        if style < len(self._dates) and self._dates[style]:
            moment = self._epoch + timedelta(days=number)
            return moment.date().isoformat()
        # Excel keeps 15 digits: what it shows as 9.82E+11 is whole in the file.
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else written
