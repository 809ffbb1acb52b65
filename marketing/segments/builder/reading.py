"""A posted form as a rule tree.

What cannot be read as the field's type stays as typed, so that the compiler's complaint
stands beside what was typed.
"""

import re

from django.http import QueryDict

from marketing.segments.behaviours import all_behaviours
from marketing.segments.builder.counting import new_counted, read_counted
from marketing.segments.builder.values import Tree, posted_operand
from marketing.segments.fields import Fields, SegmentField
from marketing.segments.value_types import VALUELESS

_NAME = re.compile(
    r"(rules(?:\.conditions\.\d{1,4}){0,60})\.(operator|field|segment|was|op|value|days|last|km|branch"
    r"|lat|lng|filter\.\d{1,2}\.(?:name|op|value))(\.[01])?"
)
SEGMENT = "segment"  # the entry of the field list that stands for another segment


def read_rules(data: QueryDict, fields: Fields) -> Tree:
    """The rules of the form; an empty group when it has none."""
    entries: dict[str, dict[str, list[str]]] = {"rules": {}}
    for name in data:
        if match := _NAME.fullmatch(name):
            path, key, side = match.groups()
            entries.setdefault(path, {})[key + (side or "")] = data.getlist(name)
            while "." in path:
                path = path.rsplit(".", 2)[0]
                entries.setdefault(path, {})
    return _group("rules", entries, fields)


def unseen(data: QueryDict) -> list[str]:
    """The paths of conditions whose field was chosen after they were drawn.

    What they compare with is not what anybody has seen.
    """
    suffix = ".was"
    was = {name.removesuffix(suffix): data[name] for name in data if name.endswith(suffix)}
    return [path for path, field in was.items() if data.get(f"{path}.field", field) != field]


def _group(path: str, entries: dict[str, dict[str, list[str]]], fields: Fields) -> Tree:
    prefix = f"{path}.conditions."
    indexes = sorted(
        int(rest)
        for name in entries
        if name.startswith(prefix) and (rest := name.removeprefix(prefix)).isdigit()
    )
    children = [_node(f"{prefix}{index}", entries, fields) for index in indexes]
    operator = entries[path].get("operator", ["AND"])[0]
    return {"operator": operator, "conditions": children}


def _node(path: str, entries: dict[str, dict[str, list[str]]], fields: Fields) -> Tree:
    posted = entries[path]
    if "field" not in posted:
        return _group(path, entries, fields)
    name = posted["field"][0]
    op = posted.get("op", [""])[0]
    if name == SEGMENT:
        return {
            "segment": posted.get("segment", [""])[0],
            "op": op if op in ("in", "not_in") else "in",
        }
    behaviour = all_behaviours().get(name)
    if behaviour is not None:
        is_same = name == posted.get("was", [name])[0]
        return read_counted(behaviour, posted) if is_same else new_counted(behaviour)
    field = fields.get(name)
    if field is None:
        return {"field": name, "op": op}
    if name != posted.get("was", [name])[0]:
        return new_condition(field)
    if op not in field.operators:
        op = field.operators[0]
    value = None if op in VALUELESS else posted_operand(field, op, posted)
    return {"field": name, "op": op} | ({} if value is None else {"value": value})


def new_condition(field: SegmentField) -> Tree:
    """A condition to begin with: the field's first operator and a plausible value."""
    op = field.operators[0]
    value = field.sample
    return {"field": field.name, "op": op} | ({} if value is None else {"value": value})
