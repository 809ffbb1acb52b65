"""What the builder's template draws: groups and conditions with their inputs and faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils.dates import MONTHS
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from marketing.segments.behaviours import Behaviour, all_behaviours
from marketing.segments.builder.counting import NEW_PROPERTY, filter_rows, property_text
from marketing.segments.builder.reading import SEGMENT
from marketing.segments.counted import Times
from marketing.segments.counted_rules import ONCE
from marketing.segments.fields import Fields, SegmentField
from marketing.segments.models import Segment
from marketing.segments.sources import Column
from marketing.segments.value_types import LISTS, OPERATORS, VALUELESS

Label = str | Promise
Errors = Mapping[str, Sequence[str]]
# Deeper trees, made over the API, are drawn all the same; only the button goes.
DEEPEST_NEW_GROUP = 6


@dataclass(frozen=True)
class Option:
    value: str
    label: Label
    is_chosen: bool = False


@dataclass(frozen=True)
class OptionGroup:
    label: Label
    options: list[Option]


@dataclass(frozen=True)
class Input:
    """One operand input: `kind` is number, money, date, text, words, select or selects."""

    name: str
    kind: str
    label: str
    value: str = ""
    options: list[Option] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.name.replace(".", "-")


@dataclass(frozen=True)
class Filter:
    """One filter of what is counted; `own_name` is the input where the chain names it itself."""

    path: str
    name: str
    label: Label
    operators: list[Option]
    inputs: list[Input]
    is_asked: bool = False
    own_name: bool = False


@dataclass(frozen=True)
class Node:
    """What groups and conditions share: their place, and what is wrong with them."""

    path: str
    number: str
    depth: int
    is_first: bool
    is_last: bool
    has_group_beside: bool
    has_focus: bool
    errors: list[str]

    @property
    def id(self) -> str:
        return self.path.replace(".", "-")

    @property
    def is_root(self) -> bool:
        return self.depth == 1

    @property
    def is_nested(self) -> bool:
        """Whether there is a group to move it out of."""
        return self.depth > 2


@dataclass(frozen=True)
class Condition(Node):
    field_name: str
    field_groups: list[OptionGroup]
    operators: list[Option]
    inputs: list[Input]
    filters: list[Filter] = field(default_factory=list)
    bounds: list[Input] = field(default_factory=list)
    is_group: bool = False

    @property
    def is_narrowed(self) -> bool:
        return any(each.is_asked for each in self.filters)


@dataclass(frozen=True)
class Group(Node):
    operators: list[Option]
    children: list[Node]
    is_group: bool = True

    @property
    def may_hold_groups(self) -> bool:
        return self.depth < DEEPEST_NEW_GROUP

    @property
    def with_all_within(self) -> list[Node]:
        """The group, and every node below it after the group that holds it."""
        nodes: list[Node] = [self]
        for node in nodes:
            if isinstance(node, Group):
                nodes.extend(node.children)
        return nodes


class Builder:
    """Turns rules into nodes. `segments` are those that the author may name."""

    def __init__(
        self,
        fields: Fields,
        segments: QuerySet[Segment],
        *,
        errors: Errors | None = None,
        focus: str = "",
    ) -> None:
        self.fields = fields
        self.segments = segments
        self.errors = errors or {}
        self.focus = focus

    def root(self, rules: Any) -> Group:
        tree = rules if isinstance(rules, Mapping) and "conditions" in rules else {}
        return self._group(tree, self._place("rules", "", 1, 0, [tree]))

    def _place(
        self, path: str, number: str, depth: int, index: int, siblings: Sequence[Any]
    ) -> dict[str, Any]:
        beside = [*siblings[max(0, index - 1) : index], *siblings[index + 1 : index + 2]]
        return {
            "path": path,
            "number": number,
            "depth": depth,
            "is_first": index == 0,
            "is_last": index == len(siblings) - 1,
            "has_group_beside": any("conditions" in sibling for sibling in beside),
            "has_focus": path == self.focus,
        }

    def _errors(self, path: str, *keys: str) -> list[str]:
        paths = [path, *(f"{path}.{key}" for key in keys)]
        return [message for each in paths for message in self.errors.get(each, [])]

    def _group(self, node: Mapping[str, Any], place: dict[str, Any]) -> Group:
        children = node.get("conditions", [])
        path, depth = place["path"], place["depth"]
        drawn: list[Node] = []
        for index, child in enumerate(children):
            number = f"{place['number']}{index + 1}"
            where = self._place(f"{path}.conditions.{index}", number, depth + 1, index, children)
            if "conditions" in child:
                where["number"] += "."
                drawn.append(self._group(child, where))
            else:
                drawn.append(self._condition(child, where))
        labels = {"AND": _("All of these"), "OR": _("Any of these"), "NOT": _("None of these")}
        return Group(
            **place,
            errors=self._errors(path, "operator", "conditions"),
            operators=[
                Option(value, label, value == node.get("operator", "AND"))
                for value, label in labels.items()
            ],
            children=drawn,
        )

    def _condition(self, node: Mapping[str, Any], place: dict[str, Any]) -> Condition:
        path = place["path"]
        errors = self._errors(path, "field", "segment", "op", "value")
        if "segment" in node:
            return Condition(
                **place,
                errors=errors,
                field_name=SEGMENT,
                field_groups=self._field_groups(SEGMENT),
                operators=[
                    Option("in", _("is in"), node.get("op") != "not_in"),
                    Option("not_in", _("is not in"), node.get("op") == "not_in"),
                ],
                inputs=[self._segment_input(path, str(node["segment"]))],
            )
        for behaviour in all_behaviours().values():
            if behaviour.name in node:
                return self._counted(behaviour, node, place)
        name = str(node.get("field", ""))
        found = self.fields.get(name)
        op = str(node.get("op", ""))
        operators = found.operators if found else ()
        return Condition(
            **place,
            errors=errors,
            field_name=found.name if found else name,
            field_groups=self._field_groups(found.name if found else name),
            operators=[Option(each, found.operator_label(each), each == op) for each in operators]
            if found
            else [],
            inputs=self._inputs(found, op, node.get("value"), path) if found else [],
        )

    def _counted(
        self, behaviour: Behaviour, node: Mapping[str, Any], place: dict[str, Any]
    ) -> Condition:
        path = place["path"]
        inside = [key for key in self.errors if key.startswith(f"{path}.")]
        count = node.get("count", ONCE)
        count = count if isinstance(count, Mapping) else ONCE
        op = str(count.get("op"))
        times = Times(uses_clock=False)
        number = SegmentField(behaviour.name, behaviour.number_label, times, Column("pk"))
        within = node.get("within")
        days = within.get("days") if isinstance(within, Mapping) else None
        bounds = [Input(f"{path}.days", "number", _("In the last … days"), _shown(days))]
        if behaviour.outcomes:
            label = _("Among the last … of them")
            bounds.append(Input(f"{path}.last", "number", label, _shown(node.get("last"))))
        return Condition(
            **place,
            errors=self._errors(path) + [text for key in inside for text in self.errors[key]],
            field_name=behaviour.name,
            field_groups=self._field_groups(behaviour.name),
            operators=[
                Option(each, number.operator_label(each), each == op) for each in times.operators
            ],
            inputs=self._inputs(number, op, count.get("value"), path),
            filters=self._filters(behaviour, node[behaviour.name], path),
            bounds=bounds,
        )

    def _filters(self, behaviour: Behaviour, where: Any, path: str) -> list[Filter]:
        drawn = []
        rows = filter_rows(behaviour, where)
        for number, (found, op, operand) in enumerate(rows):
            row = f"{path}.filter.{number}"
            if found.name.startswith(NEW_PROPERTY):
                inputs = [Input(f"{row}.value", "text", _("Value"), property_text(operand))]
            else:
                inputs = self._inputs(found, op, operand, row)
            options = [Option(e, found.operator_label(e), e == op) for e in found.operators]
            is_asked = operand is not None or op in VALUELESS
            drawn.append(Filter(row, found.name, found.label, options, inputs, is_asked))
        if behaviour.filter(f"{NEW_PROPERTY}x") is not None:
            row = f"{path}.filter.{len(rows)}"
            value = Input(f"{row}.value", "text", _("Value"))
            equal = [Option("eq", OPERATORS["eq"], True)]
            own = Filter(row, "", _("Property, as “property.amount”"), equal, [value], False, True)
            drawn.append(own)
        return drawn

    def _field_groups(self, chosen: str) -> list[OptionGroup]:
        groups: dict[str, list[Option]] = {}
        for each in self.fields.all():
            option = Option(each.name, each.label, each.name == chosen)
            groups.setdefault(str(each.group), []).append(option)
        groups[_("What happened")] = [
            Option(each.name, each.label, each.name == chosen) for each in all_behaviours().values()
        ]
        groups[_("Segments")] = [Option(SEGMENT, _("Another segment"), chosen == SEGMENT)]
        if not any(option.is_chosen for options in groups.values() for option in options):
            groups[_("Unknown")] = [Option(chosen, chosen, True)]
        return [OptionGroup(label, options) for label, options in groups.items()]

    def _segment_input(self, path: str, chosen: str) -> Input:
        options = [
            Option(str(each.pk), each.display_name, str(each.pk) == chosen)
            for each in self.segments
        ]
        return Input(f"{path}.segment", "select", _("Segment"), chosen, _ask(options))

    def _inputs(self, found: SegmentField, op: str, value: Any, path: str) -> list[Input]:
        if op in VALUELESS:
            return []
        if found.type.name == "place":
            return self._place_inputs(found, value, path)
        if op == "between":
            ends = value if isinstance(value, list) and len(value) == 2 else [value, value]
            labels = (_("From"), _("To"))
            return [
                self._input(found, f"{path}.value.{side}", labels[side], ends[side])
                for side in (0, 1)
            ]
        return [self._input(found, f"{path}.value", _("Value"), value, is_list=op in LISTS)]

    def _place_inputs(self, found: SegmentField, value: Any, path: str) -> list[Input]:
        """A distance, and a branch; or without one, a point."""
        place = value if isinstance(value, Mapping) else {}
        branch = str(place.get("branch", ""))
        options = [
            Option(key, label, key == branch) for key, label in self.fields.choices(found).items()
        ]
        point = [Option("", _("a point on the map"), not branch)]
        return [
            Input(f"{path}.km", "number", _("Kilometres"), _shown(place.get("km"))),
            Input(f"{path}.branch", "select", _("Branch"), branch, [*point, *options]),
            Input(f"{path}.lat", "number", _("Latitude"), _shown(place.get("lat"))),
            Input(f"{path}.lng", "number", _("Longitude"), _shown(place.get("lng"))),
        ]

    def _input(
        self, found: SegmentField, name: str, label: str, value: Any, *, is_list: bool = False
    ) -> Input:
        values = value if isinstance(value, list) else [value]
        chosen = [_text(each) for each in values if each is not None]
        choices = self._choices(found)
        if choices is not None:
            options = [Option(key, text, key in chosen) for key, text in choices.items()]
            if is_list:
                return Input(name, "selects", label, options=options)
            return Input(name, "select", label, options=_ask(options))
        kind = "words" if is_list else _INPUT_KINDS.get(found.type.name, "text")
        return Input(name, kind, label, ", ".join(chosen) if is_list else "".join(chosen[:1]))

    def _choices(self, found: SegmentField) -> Mapping[str, Label] | None:
        kind = found.type.name
        if kind == "boolean":
            return {"true": _("yes"), "false": _("no")}
        if kind == "month":
            return {"current": _("this month"), **{str(n): text for n, text in MONTHS.items()}}
        return self.fields.choices(found) if found.choices else None


_INPUT_KINDS = {"number": "number", "days": "number", "money": "money", "date": "date"}


def _ask(options: list[Option]) -> list[Option]:
    """The options of a select, with an empty one first while none is chosen."""
    if any(option.is_chosen for option in options):
        return options
    return [Option("", _("Choose…"), True), *options]


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
