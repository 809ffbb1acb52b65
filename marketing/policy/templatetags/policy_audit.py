"""How the changes of an audit entry are put into words."""

import re
from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def act(action: str) -> str:
    """`api_key.issue` as `Api key: issue`."""
    return action.replace("_", " ").replace(".", ": ").capitalize()


@register.filter
def change_lines(changes: Mapping[str, Any]) -> list[str]:
    """`{"full_name": ["A", "B"], "count": 3}` as `["full name: A → B", "count: 3"]`."""
    return [f"{_name(name)}: {_words(change)}" for name, change in changes.items()]


def _name(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()


def _words(change: Any) -> str:
    if isinstance(change, list) and len(change) == 2:
        return f"{_value(change[0])} → {_value(change[1])}"
    return _value(change)


def _value(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(part)}" for key, part in value.items())
    return str(value)
