"""The registry of what a rule may ask about a customer.

Each app registers the fields whose data it owns, while apps are loaded:

    register(SegmentField("points", gettext_lazy("Points"), Number(), Column("loyalty__points")))

Fields that differ from chain to chain come from a family: `register_family("attribute",
load)`, whose names are `attribute.<key>` and which is asked once per compilation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from marketing.segments.sources import Source
from marketing.segments.value_types import OPERATORS, ValueType

Label = str | Promise
Choices = Callable[[], Sequence[tuple[str, Label]]]


@dataclass(frozen=True)
class SegmentField:
    """A question rules may ask.

    `group` is its heading in the builder. `choices` is asked per compilation, in the open
    tenant scope. `sample` is a plausible operand. `phrases` replaces how an operator reads in
    a sentence, keyed by operator; for yes-or-no fields by "yes" and "no".
    """

    name: str
    label: Label
    type: ValueType
    source: Source
    group: Label = ""
    choices: Choices | None = None
    sample: Any = None
    aliases: tuple[str, ...] = ()
    phrases: Mapping[str, Label] = field(default_factory=dict)

    @property
    def operators(self) -> tuple[str, ...]:
        return self.type.operators

    def operator_label(self, op: str) -> Label:
        return self.type.operator_labels.get(op, OPERATORS[op])


_fields: dict[str, SegmentField] = {}
_aliases: dict[str, str] = {}
_families: dict[str, Callable[[], Sequence[SegmentField]]] = {}


def register(*fields: SegmentField) -> None:
    """Add fields. Raises ValueError when a name or alias is taken."""
    for each in fields:
        for name in (each.name, *each.aliases):
            if name in _fields or name in _aliases:
                raise ValueError(f"segment field {name!r} is registered twice")
        _fields[each.name] = each
        _aliases.update(dict.fromkeys(each.aliases, each.name))


def register_family(prefix: str, load: Callable[[], Sequence[SegmentField]]) -> None:
    """Add fields named `<prefix>.<key>` that `load` reads from the open tenant scope."""
    if prefix in _families:
        raise ValueError(f"segment field family {prefix!r} is registered twice")
    _families[prefix] = load


class Fields:
    """The fields of the open tenant: those of all chains, and each family read when first met."""

    def __init__(self) -> None:
        self._loaded: dict[str, dict[str, SegmentField]] = {}
        self._choices: dict[Choices, dict[str, Label]] = {}

    def get(self, name: str) -> SegmentField | None:
        """The field of this name or alias, else None."""
        prefix, dot, _key = name.partition(".")
        if dot and prefix in _families:
            return self._family(prefix).get(name)
        return _fields.get(_aliases.get(name, name))

    def all(self) -> list[SegmentField]:
        """Every field, in order of registration, families last."""
        families = [each for prefix in _families for each in self._family(prefix).values()]
        return [*_fields.values(), *families]

    def choices(self, of: SegmentField) -> dict[str, Label]:
        """A choice field's values and labels; empty for a field without a list."""
        if of.choices is None:
            return {}
        if of.choices not in self._choices:
            self._choices[of.choices] = dict(of.choices())
        return self._choices[of.choices]

    def clean_operand(self, of: SegmentField, op: str, value: Any) -> Any:
        """The operand as Python values. Raises ValueError with a message for the author."""
        operand = of.type.clean_operand(op, value)
        if of.choices is not None and operand is not None:
            known = self.choices(of)
            for each in of.type.chosen(operand):
                if each not in known:
                    raise ValueError(_("“%(value)s” is not one of the choices.") % {"value": each})
        return operand

    def _family(self, prefix: str) -> dict[str, SegmentField]:
        if prefix not in self._loaded:
            self._loaded[prefix] = {each.name: each for each in _families[prefix]()}
        return self._loaded[prefix]
