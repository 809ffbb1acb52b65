"""The builder's buttons: add, remove, move. Each names the path it works on."""

from typing import Any

from marketing.segments.builder.reading import Tree, new_condition
from marketing.segments.fields import Fields

FIRST_FIELD = "last_visit_days"


def edit(rules: Tree, action: str, fields: Fields) -> str:
    """Do `action` ("add-condition:rules.conditions.1") to `rules`.

    Returns the path to look at next; an action that does not fit does nothing.
    """
    verb, _colon, path = action.partition(":")
    if verb in ("add-condition", "add-group"):
        return _add(rules, path, fields, is_group=verb == "add-group")
    if verb in ("remove", "up", "down"):
        return _rearrange(rules, path, verb)
    return path


def _add(rules: Tree, path: str, fields: Fields, *, is_group: bool) -> str:
    group = _find(rules, path)
    if group is None or "conditions" not in group:
        return "rules"
    first = fields.get(FIRST_FIELD)
    fresh = new_condition(first) if first else {}
    if is_group:
        other = "AND" if group["operator"] == "OR" else "OR"
        fresh = {"operator": other, "conditions": [fresh]}
    group["conditions"].append(fresh)
    return f"{path}.conditions.{len(group['conditions']) - 1}"


def _rearrange(rules: Tree, path: str, verb: str) -> str:
    above, _dot, last = path.rpartition(".conditions.")
    group = _find(rules, above)
    if group is None or not last.isdigit():
        return "rules"
    children: list[Any] = group.get("conditions", [])
    index = int(last)
    if index >= len(children):
        return above
    if verb == "remove":
        del children[index]
        return f"{above}.conditions.{max(0, index - 1)}" if children else above
    target = index + (-1 if verb == "up" else 1)
    if 0 <= target < len(children):
        children[index], children[target] = children[target], children[index]
        return f"{above}.conditions.{target}"
    return path


def _find(rules: Tree, path: str) -> Tree | None:
    root, *steps = path.split(".conditions.")
    if root != "rules":
        return None
    node = rules
    for step in steps:
        children = node.get("conditions", [])
        if not step.isdigit() or int(step) >= len(children):
            return None
        node = children[int(step)]
    return node
