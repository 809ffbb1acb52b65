"""Conditions that count behaviour, as the builder draws and reads them.

Each filter of the kind is a row of its own, `….filter.<number>` with its name, operator and
value; one left empty is not asked. A chain's own properties follow, and an empty row for one more.
"""

import json
from collections.abc import Mapping
from typing import Any

from marketing.segments.behaviours import Behaviour
from marketing.segments.builder.values import Tree, posted_operand
from marketing.segments.counted_rules import ONCE, filter_operand
from marketing.segments.fields import SegmentField
from marketing.segments.value_types import VALUELESS

# Left empty these ask for nothing, whatever the type.
_FIRST_OPERATOR = {"choice": "in", "text": "contains", "number": "gte", "money": "gte"}
NEW_PROPERTY = "property."

FilterRow = tuple[SegmentField, str, Any]


def filter_rows(behaviour: Behaviour, where: Any) -> list[FilterRow]:
    """Every filter with its operator and operand: those asked, and the others empty."""
    asked: Mapping[str, Any] = where if isinstance(where, Mapping) else {}
    rows: list[FilterRow] = []
    known = behaviour.all_filters()
    for each in known:
        op, operand = filter_operand(asked[each.name]) if each.name in asked else ("", None)
        if op == "eq" and "in" in each.operators and each.choices is not None:
            op = "in"
        rows.append((each, op or _FIRST_OPERATOR.get(each.type.name, "eq"), operand))
    for name in asked.keys() - {each.name for each in known}:
        op, operand = filter_operand(asked[name])
        if found := behaviour.filter(name, operand):
            rows.append((found, op, operand))
    return rows


def read_counted(behaviour: Behaviour, posted: dict[str, list[str]]) -> Tree:
    """The condition of a posted form."""
    where: Tree = {}
    for number in sorted({int(key.split(".")[1]) for key in posted if key.startswith("filter.")}):
        row = {
            key.removeprefix(f"filter.{number}."): values
            for key, values in posted.items()
            if key.startswith(f"filter.{number}.")
        }
        name = row.get("name", [""])[0].strip()
        if name and (asked := _read_filter(behaviour, name, row)) is not None:
            where[name] = asked
    op = posted.get("op", [""])[0] or "gte"
    times = _read_times(op, posted)
    node: Tree = {behaviour.name: where, "count": {"op": op, "value": times}}
    if days := posted.get("days", [""])[0].strip():
        node["within"] = {"days": _number(days)}
    if last := posted.get("last", [""])[0].strip():
        node["last"] = _number(last)
    return node


def new_counted(behaviour: Behaviour) -> Tree:
    """A condition to begin with: once in the last 90 days."""
    return {behaviour.name: {}, "count": dict(ONCE), "within": {"days": 90}}


def property_text(value: Any) -> str:
    """A property's operand as typed: quoted where it would be read as something else."""
    return json.dumps(value) if not isinstance(value, str) or _plain(value) != value else value


def _read_filter(behaviour: Behaviour, name: str, row: dict[str, list[str]]) -> Any:
    op = row.get("op", ["eq"])[0]
    found = behaviour.filter(name)
    is_own = name.startswith(NEW_PROPERTY)
    if found is None and not is_own:
        return None
    if op in VALUELESS:
        return {"op": op}
    if is_own or found is None:
        text = row.get("value", [""])[0].strip()
        value = None if not text else _plain(text)
    else:
        value = posted_operand(found, op, row)
    if value in (None, [], [None, None]):
        return None
    if op == "eq":
        return value
    if op == "in":
        return value[0] if isinstance(value, list) and len(value) == 1 else value
    return {"op": op, "value": value}


def _read_times(op: str, posted: dict[str, list[str]]) -> Any:
    single = posted.get("value") or posted.get("value.0") or [""]
    if op == "between":
        return [_number(posted.get(f"value.{side}", single)[0]) for side in (0, 1)]
    return _number(single[0])


def _plain(text: str) -> Any:
    """Typed text as JSON where it is a number, yes or no, a list or quoted; else itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, dict) or value is None else value


def _number(text: str) -> int | str | None:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    return text or None
