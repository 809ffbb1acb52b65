"""The builder's buttons: add, remove, move. Each names the path it works on."""

from typing import Any

from marketing.segments.builder.reading import new_condition
from marketing.segments.builder.values import Tree
from marketing.segments.fields import Fields

FIRST_FIELD = "last_visit_days"
MOVES = ("up", "down", "in", "out")


def edit(rules: Tree, action: str, fields: Fields) -> str:
    """Do `action` ("add-condition:rules.conditions.1") to `rules`.

    "in" puts a node into the group next to it, "out" behind the group that it is in, and
    "move:<path>:<path of a group>:<place>" before the group's node of that number. Returns the
    path to look at next; an action that does not fit does nothing.
    """
    verb, _colon, path = action.partition(":")
    if verb in ("add-condition", "add-group"):
        return _add(rules, path, fields, is_group=verb == "add-group")
    if verb == "remove":
        return _remove(rules, path)
    if verb in MOVES:
        return _step(rules, path, verb)
    if verb == "move":
        return _move(rules, *_destination(path))
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


def _remove(rules: Tree, path: str) -> str:
    above, _dot, last = path.rpartition(".conditions.")
    group = _find(rules, above)
    if group is None or _find(rules, path) is None:
        return "rules" if group is None else above
    children: list[Any] = group["conditions"]
    del children[int(last)]
    return f"{above}.conditions.{max(0, int(last) - 1)}" if children else above


def _step(rules: Tree, path: str, verb: str) -> str:
    above, _dot, last = path.rpartition(".conditions.")
    group = _find(rules, above)
    if group is None or _find(rules, path) is None:
        return "rules" if group is None else above
    index = int(last)
    if verb == "up":
        return _move(rules, path, above, index - 1)
    if verb == "down":
        return _move(rules, path, above, index + 2)
    if verb == "in":
        return _move_in(rules, path, above, group["conditions"], index)
    outer, _dot, place = above.rpartition(".conditions.")
    return _move(rules, path, outer, int(place) + 1) if outer else path


def _move_in(rules: Tree, path: str, above: str, siblings: list[Any], index: int) -> str:
    """Into the group that follows, as its first; else into the one before, as its last."""
    for neighbour in (index + 1, index - 1):
        if 0 <= neighbour < len(siblings) and "conditions" in siblings[neighbour]:
            is_after = neighbour > index
            place = 0 if is_after else len(siblings[neighbour]["conditions"])
            return _move(rules, path, f"{above}.conditions.{neighbour}", place)
    return path


def _destination(text: str) -> tuple[str, str, int]:
    path, _colon, rest = text.partition(":")
    target, _colon, place = rest.partition(":")
    # A place of five digits is none that a form of ours can have.
    is_place = place.isascii() and place.isdigit() and len(place) < 5
    return path, target, int(place) if is_place else -1


def _move(rules: Tree, path: str, target_path: str, place: int) -> str:
    """Put the node before the `place`-th of the target group; a group left empty goes."""
    node, target = _find(rules, path), _find(rules, target_path)
    above = path.rpartition(".conditions.")[0]
    source = _find(rules, above)
    is_within = target_path == path or target_path.startswith(f"{path}.")
    if node is None or source is None or target is None or is_within:
        return path
    siblings: list[Any] = target.get("conditions", [])
    if "conditions" not in target or not 0 <= place <= len(siblings):
        return path
    # The gap holds the place while the node is taken out of where it was.
    gap: Tree = {}
    siblings.insert(place, gap)
    _take_out(source["conditions"], node)
    siblings[_index(siblings, gap)] = node
    if not source["conditions"] and source is not rules:
        outer = _find(rules, _path_of(rules, source).rpartition(".conditions.")[0])
        _take_out(outer["conditions"] if outer else [], source)
    return _path_of(rules, node)


def _take_out(children: list[Any], node: Tree) -> None:
    del children[_index(children, node)]


def _index(children: list[Any], node: Tree) -> int:
    """Where this very node stands: another may say the same."""
    return next(index for index, child in enumerate(children) if child is node)


def _path_of(rules: Tree, node: Tree) -> str:
    waiting = [("rules", rules)]
    while waiting:
        path, each = waiting.pop()
        if each is node:
            return path
        waiting += [
            (f"{path}.conditions.{index}", child)
            for index, child in enumerate(each.get("conditions", []))
        ]
    return "rules"


def _find(rules: Tree, path: str) -> Tree | None:
    root, *steps = path.split(".conditions.")
    if root != "rules":
        return None
    node = rules
    for step in steps:
        children = node.get("conditions", [])
        if not (step.isascii() and step.isdigit()) or int(step) >= len(children):
            return None
        node = children[int(step)]
    return node
