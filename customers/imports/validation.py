"""One line of a file as typed values, or what is wrong with it. Asks the database nothing."""

import csv
import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language_info

from customers import rules
from customers.exports.csv_writing import FORMULA
from customers.imports.columns import ATTRIBUTE, CONSENT_NAMES, OPT_OUT
from customers.imports.limits import MAX_CELL
from customers.imports.reading import CONTROL, Line
from customers.imports.xlsx_reading import ERRORS

ROUNDED = re.compile(r"\s*\+?\d(?:[.,]\d+)?E\+?\d+\s*", re.IGNORECASE)
WHOLE_FLOAT = re.compile(r"\+?\d+\.0+")
# What needs no look at its first part; all else is left to the rule.
PLAIN_EMAIL = re.compile(r"(?=[^@]{1,64}@)[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@[A-Za-z0-9.-]+")
# What an export put an apostrophe before.
GUARDED = re.compile(f"'(?:{FORMULA.pattern})")
YES = frozenset({"yes", "y", "true", "1", "on", "given", "granted", "हाँ", "हां", "हा", "जी हाँ"})
NO = frozenset({"no", "n", "false", "0", "off", "withdrawn", "नहीं", "नही", "ना"})
# What an export writes where nobody ever said so herself: it must not come back as a yes.
ASSUMED = "assumed"
GENDERS = {
    "female": "female", "f": "female", "woman": "female", "w": "female", "महिला": "female",
    "स्त्री": "female", "male": "male", "m": "male", "man": "male", "पुरुष": "male",
    "other": "other", "o": "other", "अन्य": "other",
}  # fmt: skip
CHANNELS = {
    "whatsapp": "whatsapp", "व्हाट्सएप": "whatsapp", "sms": "sms", "एसएमएस": "sms",
    "email": "email", "e-mail": "email", "mail": "email", "ईमेल": "email",
}  # fmt: skip
DATE_ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
LENGTHS = {"external_id": 100, "first_name": 100, "last_name": 100, "whatsapp_id": 140}
KEYS = ("given_id", "external_id", "phone", "email")
OLDEST = dt.date(1900, 1, 1)


class Wrong(ValueError):
    """A cell that cannot be taken; carries a code of `wording.PROBLEMS`."""


@dataclass(frozen=True)
class Setting:
    """What judging a line needs to know: the job's choices and the chain's data.

    `branches` maps names and codes in lower case to ids of branches the sender may use.
    """

    headers: Sequence[str]
    mapping: Sequence[str]
    country: str
    languages: frozenset[str]
    branches: Mapping[str, uuid.UUID]
    attributes: Mapping[str, rules.AttributeType]
    today: dt.date
    date_order: str = "dmy"
    tag: str = ""


@dataclass
class Judged:
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    cells: list[str] | None = None


class Judge:
    """Judges lines of one job. `judge` never raises for what a file says."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._columns = [
            (index, target, setting.headers[index])
            for index, target in enumerate(setting.mapping)
            if target
        ]
        self._languages = _language_names(setting.languages)
        self._readers: dict[str, Callable[[str], Any]] = {
            "given_id": _uuid,
            "phone": self._phone,
            "email": _email,
            "birth_date": self._past_date,
            "anniversary": self._past_date,
            "gender": lambda text: _choice(text, GENDERS, "gender"),
            "language": lambda text: _choice(text, self._languages, "language"),
            "preferred_channel": lambda text: _choice(text, CHANNELS, "channel"),
            "home_branch": lambda text: _choice(text, setting.branches, "unknown_branch"),
            "tags": _tags,
            "latitude": lambda text: _coordinate(text, 90),
            "longitude": lambda text: _coordinate(text, 180),
        }

    def judge(self, line: Line) -> Judged:
        judged = Judged(line.number)
        if line.fault:
            judged.problems.append(line.fault)
        elif any(map(str.strip, line.cells[len(self._setting.headers) :])):
            judged.problems.append("cells")
        elif max(map(len, line.cells), default=0) > MAX_CELL:
            judged.problems.append("long_cell")
        elif CONTROL.search(" ".join(line.cells)):
            judged.problems.append("control")
        else:
            self._read(line.cells, judged)
        if judged.problems:
            judged.cells = [cell[:MAX_CELL].replace("\0", "") for cell in line.cells]
        return judged

    def _read(self, cells: Sequence[str], judged: Judged) -> None:
        for index, target, header in self._columns:
            text = cells[index].strip() if index < len(cells) else ""
            if not text:
                continue
            if text[0] == "'" and GUARDED.match(text):
                text = text[1:]
            try:
                if text in ERRORS:
                    raise Wrong("excel_error")
                self._take(target, text, judged.values)
            except Wrong as wrong:
                judged.problems.append(f"{wrong}:{header}"[:100])
        if self._setting.tag:
            tags = [*judged.values.get("tags", []), self._setting.tag]
            judged.values["tags"] = rules.clean_tags(tags[-rules.MAX_TAGS :])
        if not judged.problems and not any(judged.values.get(key) for key in KEYS):
            judged.problems.append("no_key")

    def _take(self, target: str, text: str, values: dict[str, Any]) -> None:
        if target == "name":
            words = text.split()
            values.setdefault("first_name", _short(words[0], "first_name"))
            if words[1:]:
                values.setdefault("last_name", _short(" ".join(words[1:]), "last_name"))
        elif target.startswith(ATTRIBUTE):
            key = target.removeprefix(ATTRIBUTE)
            values.setdefault("attributes", {})[key] = self._attribute(text, key)
        elif target in CONSENT_NAMES:
            if text.casefold() != ASSUMED:
                values.setdefault("consents", {})[target] = _yes(text, "consent")
        elif target == OPT_OUT.name:
            # A no brings nobody back: it says nothing.
            if _yes(text, "yes_no"):
                values.setdefault("consents", {})[target] = True
        elif target == "home_branch":
            values["home_branch_id"] = self._readers[target](text)
        elif target in self._readers:
            values[target] = self._readers[target](text)
        else:
            values[target] = _short(" ".join(text.split()), target)

    def _phone(self, text: str) -> str:
        if ROUNDED.fullmatch(text):
            raise Wrong("rounded")
        if WHOLE_FLOAT.fullmatch(text):
            text = text.partition(".")[0]
        try:
            return rules.normalize_phone(text, self._setting.country)
        except ValueError as error:
            raise Wrong("phone") from error

    def _date(self, text: str) -> dt.date:
        text = text.split("T")[0].split(" ")[0] if text[:4].isdigit() else text
        parts = re.split(r"[-/. ]", text)
        if len(parts) != 3 or not all(part.isdecimal() for part in parts):
            raise Wrong("date")
        # Four digits in front leave no choice.
        order = DATE_ORDERS["ymd" if len(parts[0]) == 4 else self._setting.date_order]
        year, month, day = (int(parts[place]) for place in order)
        if year < 100:
            year += 2000 if year <= self._setting.today.year % 100 else 1900
        try:
            return dt.date(year, month, day)
        except ValueError as error:
            raise Wrong("date") from error

    def _past_date(self, text: str) -> dt.date:
        date = self._date(text)
        if not OLDEST <= date <= self._setting.today:
            raise Wrong("date_range")
        return date

    def _attribute(self, text: str, key: str) -> Any:
        declared = self._setting.attributes.get(key)
        if declared is None:
            raise Wrong("value")
        value: Any = text
        match declared.type:
            case "number":
                value = _number(text)
            case "boolean":
                value = _yes(text, "yes_no")
            case "date":
                value = self._date(text).isoformat()
            case "choice":
                same = {choice.casefold(): choice for choice in declared.choices}
                return _choice(text, same, "choice")
        try:
            return rules.check_attribute(value, declared)
        except ValueError as error:
            raise Wrong("long" if declared.type == "text" else "value") from error


def _language_names(codes: frozenset[str]) -> dict[str, str]:
    names = {code: code for code in codes}
    if "hi" in codes:
        names["हिन्दी"] = "hi"  # Django knows the other spelling only
    for code in codes:
        info = get_language_info(code)
        names |= {info["name"].casefold(): code, info["name_local"].casefold(): code}
    return names


def _choice(text: str, known: Mapping[str, Any], code: str) -> Any:
    try:
        return known[" ".join(text.casefold().split())]
    except KeyError as error:
        raise Wrong(code) from error


def _yes(text: str, code: str) -> bool:
    plain = text.casefold()
    if plain in YES or plain in NO:
        return plain in YES
    raise Wrong(code)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Wrong("id") from error


def _email(text: str) -> str:
    try:
        if PLAIN_EMAIL.fullmatch(text):
            name, _at, domain = text.partition("@")
            email = f"{name}@{_domain(domain)}".lower()
        else:
            email = rules.normalize_email(text)
    except ValueError as error:
        raise Wrong("email") from error
    if len(email) > 254:
        raise Wrong("email")
    return email


@lru_cache(maxsize=4_096)
def _domain(domain: str) -> str:
    """Checked once: a file has many people of few domains."""
    return rules.normalize_email(f"a@{domain}").partition("@")[2]


def _tags(text: str) -> list[str]:
    """Parted by commas; a tag with a comma of its own stands in quotes."""
    try:
        return rules.clean_tags(next(csv.reader([text.replace("\n", ",")], skipinitialspace=True)))
    except (ValueError, csv.Error) as error:
        raise Wrong("tags") from error


def _number(text: str) -> float | int:
    try:
        number = float(text.replace(",", ""))
    except ValueError as error:
        raise Wrong("number") from error
    if number != number or number in (float("inf"), float("-inf")):
        raise Wrong("number")
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _coordinate(text: str, most: int) -> float:
    number = float(_number(text))
    if abs(number) > most:
        raise Wrong("number")
    return number


def _short(text: str, field_name: str) -> str:
    if len(text) > LENGTHS[field_name]:
        raise Wrong("long")
    return text
