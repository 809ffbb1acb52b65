"""Reading a condition that counts behaviour; every fault is told at its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from marketing.segments.behaviours import Behaviour
from marketing.segments.context import RuleContext
from marketing.segments.counted import Counted, Times
from marketing.segments.fields import SegmentField
from marketing.segments.value_types.days import clean_days
from marketing.segments.value_types.numbers import Number

Fault = Callable[[str, str], object]
MAX_LAST = 100
MAX_FILTERS = 10
# Without a count, once is enough.
ONCE = {"op": "gte", "value": 1}


@dataclass(frozen=True)
class CountedCondition:
    """The number of times as a field, and what it is compared with."""

    field: SegmentField
    op: str
    times: Any


def read_counted(
    behaviour: Behaviour, node: Mapping[str, Any], path: str, context: RuleContext, fault: Fault
) -> CountedCondition | None:
    """The condition at `path`, or None once `fault` was told what is wrong with it."""
    reader = _Reader(context, fault)
    narrowed = reader.filters(behaviour, node[behaviour.name], f"{path}.{behaviour.name}")
    days = reader.days(node, f"{path}.within")
    last = reader.last(behaviour, node, f"{path}.last")
    if days is not None and last is not None:
        reader.fault(f"{path}.last", _("Give either within or last."))
    times = Times(uses_clock=days is not None)
    op, wanted = reader.count(node.get("count", ONCE), times, f"{path}.count")
    if last is not None and isinstance(wanted, int) and wanted > last:
        reader.fault(f"{path}.count.value", _("The last ones are fewer than that."))
    if reader.is_at_fault:
        return None
    where, outcome = narrowed
    source = Counted(
        behaviour,
        where,
        outcome,
        days,
        last,
        tally=context.tally,
        at_once=context.at_once,
    )
    return CountedCondition(
        SegmentField(behaviour.name, behaviour.number_label, times, source), op, wanted
    )


def filter_operand(value: Any) -> tuple[str, Any]:
    """The operator and operand of a filter: a value, a list of them, or both said in full."""
    if isinstance(value, Mapping):
        return value.get("op", ""), value.get("value")
    return ("in" if isinstance(value, list) else "eq"), value


class _Reader:
    def __init__(self, context: RuleContext, fault: Fault) -> None:
        self.context = context
        self.tell = fault
        self.is_at_fault = False

    def fault(self, path: str, message: str) -> None:
        self.is_at_fault = True
        self.tell(path, message)

    def filters(self, behaviour: Behaviour, where: Any, path: str) -> tuple[Q, Q]:
        """What narrows the rows, and what is asked of their outcome."""
        narrowing, outcome = Q(), Q()
        if not isinstance(where, Mapping):
            self.fault(path, _("Give filters as an object; an empty one takes all."))
            return narrowing, outcome
        if len(where) > MAX_FILTERS:
            self.fault(path, _("At most %(max)d filters.") % {"max": MAX_FILTERS})
            return narrowing, outcome
        is_about_outcome = False
        for name, value in where.items():
            condition = self.filter(behaviour, name, value, path)
            if name in behaviour.outcomes:
                outcome &= condition
                is_about_outcome = True
            else:
                narrowing &= condition
        if not is_about_outcome:
            outcome = behaviour.settled
        return narrowing, outcome

    def filter(self, behaviour: Behaviour, name: Any, value: Any, path: str) -> Q:
        op, operand = filter_operand(value)
        found = behaviour.filter(name, operand)
        if found is None:
            is_plain = isinstance(name, str) and name.isascii() and len(name) <= 50
            self.fault(f"{path}.{name}" if is_plain else path, _("There is no such filter."))
            return Q()
        where = f"{path}.{name}"
        if isinstance(value, Mapping) and not set(value) <= {"op", "value"}:
            self.fault(where, _("Give a value, a list of them, or op and value."))
            return Q()
        if op not in found.operators:
            known = ", ".join(found.operators)
            message = _("This filter takes one of: %(operators)s.") % {"operators": known}
            self.fault(where, message)
            return Q()
        try:
            cleaned = self.context.fields.clean_operand(found, op, operand)
        except ValueError as error:
            self.fault(where, str(error))
            return Q()
        return self.context.condition(found, op, cleaned)

    def days(self, node: Mapping[str, Any], path: str) -> int | None:
        if "within" not in node:
            return None
        within = node["within"]
        if not isinstance(within, Mapping) or set(within) != {"days"}:
            self.fault(path, _('Give {"days": a number}.'))
            return None
        days: int | None = self.cleaned(lambda: clean_days(within["days"]), f"{path}.days")
        return days

    def last(self, behaviour: Behaviour, node: Mapping[str, Any], path: str) -> int | None:
        if "last" not in node:
            return None
        if not behaviour.outcomes:
            self.fault(path, _("Only of messages can the last ones be judged."))
            return None
        last: int | None = self.cleaned(lambda: _clean_last(node["last"]), path)
        return last

    def count(self, count: Any, times: Times, path: str) -> tuple[str, Any]:
        if not isinstance(count, Mapping) or not set(count) <= {"op", "value"}:
            self.fault(path, _("Give op and value."))
            return "", None
        op = count.get("op")
        if op not in times.operators:
            known = ", ".join(times.operators)
            message = _("This field takes one of: %(operators)s.") % {"operators": known}
            self.fault(f"{path}.op", message)
            return "", None
        wanted = self.cleaned(
            lambda: times.clean_operand(str(op), count.get("value")), f"{path}.value"
        )
        return str(op), wanted

    def cleaned(self, clean: Callable[[], Any], path: str) -> Any:
        try:
            return clean()
        except ValueError as error:
            self.fault(path, str(error))
            return None


def _clean_last(value: Any) -> int:
    last = Number().clean(value)
    if not 1 <= last <= MAX_LAST:
        raise ValueError(_("Enter a number from 1 to %(max)d.") % {"max": MAX_LAST})
    return int(last)
