"""Posted texts as the values of a field, or as typed where they cannot be read."""

from typing import Any

from marketing.segments.fields import SegmentField
from marketing.segments.value_types import LISTS

Tree = dict[str, Any]


def posted_operand(field: SegmentField, op: str, posted: dict[str, list[str]]) -> Any:
    """The operand of a condition from its inputs; None where they are empty."""
    if field.type.name == "place":
        return _place(posted)
    single = posted.get("value") or posted.get("value.0") or [""]
    if op == "between":
        ends = [posted.get(f"value.{side}", single)[0] for side in (0, 1)]
        return [_value(field, text) for text in ends]
    if op not in LISTS:
        return _value(field, single[0])
    texts = single
    if field.choices is None and field.type.name != "month":
        texts = single[0].split(",")
    return [_value(field, text) for text in texts if text.strip()]


def _place(posted: dict[str, list[str]]) -> Tree:
    typed = {key: posted.get(key, [""])[0].strip() for key in ("km", "branch", "lat", "lng")}
    place: Tree = {"km": _number(typed["km"])}
    if typed["branch"] or not (typed["lat"] or typed["lng"]):
        return place | {"branch": typed["branch"]}
    return place | {key: _number(typed[key]) for key in ("lat", "lng")}


def _value(field: SegmentField, text: str) -> Any:
    text = text.strip()
    kind = field.type.name
    if not text:
        return None
    if kind in ("number", "days"):
        return _number(text.replace(",", ""))
    if kind == "money":
        return text.replace(",", "").removeprefix("₹").strip()
    if kind == "month":
        return int(text) if text.isascii() and text.isdigit() else text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text


def _number(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
