"""Rules as a sentence a branch manager would say, in any language of the interface.

An operator's label carries its operand where it shows "…", else at its end; that is how a
translation moves the verb.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.dates import MONTHS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from marketing.core.templatetags.formats import format_number, with_symbol
from marketing.segments.behaviours import Behaviour, all_behaviours
from marketing.segments.compiler import GROUPS
from marketing.segments.context import RuleContext
from marketing.segments.counted import Times
from marketing.segments.counted_rules import ONCE, filter_operand
from marketing.segments.fields import SegmentField
from marketing.segments.sources import Column
from marketing.segments.value_types import VALUELESS

GAP = "…"


def describe(rules: Mapping[str, Any], language: str, context: RuleContext | None = None) -> str:
    """“Everybody whose last visit was more than 30 days ago and who has an active package.”

    Rules at fault are described as far as they go. Sharing a `context` over many rules
    saves its look-ups.
    """
    with translation.override(language):
        conditions = _Words(context or RuleContext()).group(rules, outermost=True)
        if rules.get("operator") == "NOT":
            return _("Everybody but those %(conditions)s.") % {"conditions": conditions}
        return _("Everybody %(conditions)s.") % {"conditions": conditions}


def describe_condition(node: Mapping[str, Any], language: str, context: RuleContext) -> str:
    """One leaf by itself: “Last visit was more than 30 days ago”."""
    with translation.override(language):
        text = _Words(context).statement(node)
        return text[:1].upper() + text[1:]


def describe_value(field: SegmentField, value: Any, language: str, context: RuleContext) -> str:
    """A customer's own value in the unit of the field; a dash when there is none."""
    with translation.override(language):
        if value is None or value == []:
            return "–"
        return str(field.type.unit).replace(GAP, _Words(context).value(field, value))


class _Words:
    def __init__(self, context: RuleContext) -> None:
        self.context = context

    def group(self, node: Any, *, outermost: bool = False) -> str:
        children = node.get("conditions") if isinstance(node, Mapping) else None
        operator = node.get("operator") if isinstance(node, Mapping) else None
        if operator not in GROUPS or not isinstance(children, list) or not children:
            return _("(no conditions yet)")
        joint = _(" and ") if operator == "AND" else _(" or ")
        text = joint.join(self.node(child) for child in children)
        if outermost:
            return text
        if len(children) > 1:
            text = f"({text})"
        return _("not those %(conditions)s") % {"conditions": text} if operator == "NOT" else text

    def node(self, node: Any) -> str:
        if not isinstance(node, Mapping) or "conditions" in node or "operator" in node:
            return self.group(node)
        if self.behaviour(node) is not None:
            return _("whose %(statement)s") % {"statement": self.statement(node)}
        is_about_her = "segment" in node or self.phrase(node) is not None
        form = _("who %(statement)s") if is_about_her else _("whose %(statement)s")
        return form % {"statement": self.statement(node)}

    def statement(self, node: Mapping[str, Any]) -> str:
        if "segment" in node:
            return self.segment(node)
        behaviour = self.behaviour(node)
        if behaviour is not None:
            return self.counted(behaviour, node)
        field = self.field(node)
        if field is None:
            return _("unknown field “%(name)s”") % {"name": node.get("field")}
        phrase = self.phrase(node)
        if phrase is not None:
            return phrase
        op = node.get("op")
        if op not in field.operators:
            return _lower_first(str(field.label))
        return f"{_lower_first(str(field.label))} {self.predicate(field, str(op), node)}"

    def field(self, node: Mapping[str, Any]) -> SegmentField | None:
        name = node.get("field")
        return self.context.fields.get(name) if isinstance(name, str) else None

    def phrase(self, node: Mapping[str, Any]) -> str | None:
        """The field's own way of saying this, if it has one."""
        field = self.field(node)
        if field is None:
            return None
        key = node.get("op")
        if field.type.name == "boolean" and isinstance(node.get("value"), bool):
            key = "yes" if node["value"] == (key == "eq") else "no"
        words = field.phrases.get(str(key))
        return None if words is None else str(words)

    def predicate(self, field: SegmentField, op: str, node: Mapping[str, Any]) -> str:
        label = str(field.operator_label(op))
        if op in VALUELESS:
            return label
        operand = node.get("value")
        parts = [self.value(field, each) for each in operand] if isinstance(operand, list) else []
        if isinstance(operand, Mapping):
            parts = self.place(field, operand)
        if parts and label.count(GAP) == len(parts):
            for part in parts:
                label = label.replace(GAP, part, 1)
            return label
        if op == "between" and len(parts) == 2:
            text = _("%(low)s and %(high)s") % {"low": parts[0], "high": parts[1]}
        elif parts:
            text = _join(parts)
        else:
            text = self.value(field, operand)
        return label.replace(GAP, text) if GAP in label else f"{label} {text}"

    def place(self, field: SegmentField, operand: Mapping[str, Any]) -> list[str]:
        """The distance, and what it is measured from."""
        if "branch" in operand:
            branch = operand["branch"]
            place = str(self.context.fields.choices(field).get(str(branch), branch))
        else:
            place = f"{operand.get('lat', GAP)}, {operand.get('lng', GAP)}"
        return [self.value(field, operand.get("km")), place]

    def behaviour(self, node: Mapping[str, Any]) -> Behaviour | None:
        for name, behaviour in all_behaviours().items():
            if name in node:
                return behaviour
        return None

    def counted(self, behaviour: Behaviour, node: Mapping[str, Any]) -> str:
        """“number of visits (weekday is Sunday) in the last 90 days is at least 2”."""
        parts = [str(behaviour.number_label)]
        where = node[behaviour.name]
        if isinstance(where, Mapping) and where:
            filters = [self.filter(behaviour, name, value) for name, value in where.items()]
            parts.append(f"({', '.join(filters)})")
        within, last = node.get("within"), node.get("last")
        if isinstance(within, Mapping) and within.get("days") is not None:
            parts.append(_("in the last %(days)s days") % {"days": within["days"]})
        if last is not None:
            parts.append(_("among the last %(number)s") % {"number": last})
        count = node.get("count", ONCE)
        times = Times(uses_clock=False)
        op = count.get("op") if isinstance(count, Mapping) else None
        if op in times.operators:
            number = SegmentField(behaviour.name, behaviour.number_label, times, Column("pk"))
            parts.append(self.predicate(number, str(op), count))
        return " ".join(parts)

    def filter(self, behaviour: Behaviour, name: Any, value: Any) -> str:
        op, operand = filter_operand(value)
        field = behaviour.filter(name, operand)
        if field is None or op not in field.operators:
            return str(name)
        said = self.predicate(field, str(op), {"value": operand})
        return f"{_lower_first(str(field.label))} {said}"

    def segment(self, node: Mapping[str, Any]) -> str:
        try:
            segment = self.context.segment(uuid.UUID(node["segment"]))
        except (ValueError, TypeError, AttributeError):
            segment = None
        name = segment.display_name if segment else "?"
        form = _("is not in “%(name)s”") if node.get("op") == "not_in" else _("is in “%(name)s”")
        return form % {"name": name}

    def value(self, field: SegmentField, value: Any) -> str:
        if value is None or value == []:
            return GAP
        if isinstance(value, list):
            return ", ".join(self.value(field, each) for each in value)
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        kind = field.type.name
        if kind == "month":
            if value == "current":
                return _("this month")
            return str(MONTHS.get(value, value)) if isinstance(value, int) else str(value)
        if kind == "money":
            return self.money(value)
        if isinstance(value, int | float | Decimal):
            return _number(value)
        if kind == "choice":
            return str(self.context.fields.choices(field).get(str(value), value))
        if kind == "date":
            return _date(value)
        if kind == "place":
            return str(value)
        return f"“{value}”"

    def money(self, value: Any) -> str:
        try:
            amount = Decimal(str(value))
            text = format_number(amount, 0 if amount == int(amount) else 2)
        except (ArithmeticError, ValueError):
            return str(value)
        return with_symbol(text, self.context.tenant.currency)


def _number(value: int | float | Decimal) -> str:
    exact = Decimal(str(value))
    if not exact.is_finite() or abs(exact) >= 10**15:
        return str(value)
    places = max(0, -int(exact.normalize().as_tuple().exponent))
    return format_number(exact, places)


def _date(value: Any) -> str:
    try:
        date = value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        return str(value)
    return date_format(date, "j M Y")


def _join(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return _("%(some)s or %(last)s") % {"some": ", ".join(parts[:-1]), "last": parts[-1]}


def _lower_first(label: str) -> str:
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
