"""Rule tree -> one `Q` over `Customer`.

    {"operator": "AND" | "OR" | "NOT", "conditions": [node, …]}      NOT: none of them holds
    {"field": name, "op": operator, "value": operand}
    {"segment": id, "op": "in" | "not_in"}
    {"visit": {filter: value, …}, "count": {"op", "value"}, "within": {"days"}, "last": n}

Only `Q`, `Exists` and look-ups with parameters are built, so nothing typed by a person
reaches SQL as text. A NOT is carried down to the conditions below it (`NOT (a OR b)` becomes
`NOT a AND NOT b`): the SQL of fifty of them within each other is as flat as that of one. Each
fault is reported at the path of what is at fault (`rules.conditions.1.value`), all of them at
once. A later kind of leaf is one more entry of `_Compiler.leaf_kinds`.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from marketing.core.errors import ValidationFailed
from marketing.segments.behaviours import Behaviour, all_behaviours
from marketing.segments.context import RuleContext
from marketing.segments.counted_rules import read_counted
from marketing.segments.fields import SegmentField
from marketing.segments.models import Segment, SegmentMember
from marketing.segments.negation import does_not_hold

MAX_DEPTH = 50
MAX_CONDITIONS = 500
# Each is a subquery: what planning costs grows faster than their number.
MAX_COUNTED = 50
GROUPS = ("AND", "OR", "NOT")
LeafCompiler = Callable[[Mapping[str, Any], str, int], tuple[Q, SegmentField | None]]


@dataclass(frozen=True)
class Leaf:
    """One condition of the tree by itself, for the verdict on one customer.

    `wanted` is False below an odd number of NOTs: there it speaks against her when it holds,
    and `q` says that it does not.
    """

    path: str
    node: Mapping[str, Any]
    q: Q
    wanted: bool
    field: SegmentField | None = None


@dataclass(frozen=True)
class CompiledRules:
    """A checked tree: the whole condition, and its leaves in reading order."""

    q: Q
    leaves: tuple[Leaf, ...]


def compile_rules(rules: Mapping[str, Any], *, now: dt.datetime, zone: str) -> Q:
    """The customers that `rules` describe, as a condition over `Customer`.

    `zone` decides what "today" is for people without a home branch. Raises
    `ValidationFailed` whose `fields` are keyed by the path of each bad condition.
    """
    return compile_tree(rules, RuleContext(now=now, zone=zone)).q


def compile_tree(
    rules: Any,
    context: RuleContext,
    *,
    segment_id: uuid.UUID | None = None,
    visible: QuerySet[Segment] | None = None,
) -> CompiledRules:
    """`compile_rules` with the leaves kept apart.

    `segment_id` is the segment the rules belong to, so that it cannot contain itself;
    `visible` limits which segments the author may name.
    """
    compiler = _Compiler(context, () if segment_id is None else (segment_id,), visible)
    q = compiler.group(rules, "rules", 1)
    if compiler.errors:
        raise ValidationFailed(
            _("The rules of this segment cannot be used as they are."), fields=compiler.errors
        )
    return CompiledRules(q, tuple(compiler.leaves))


def membership(segment: Segment, context: RuleContext) -> Q:
    """Who is in `segment`, as a condition over `Customer` (of any status).

    A static segment is its snapshot; a dynamic one is judged afresh, never from stored rows.
    """
    if segment.is_dynamic:
        return within(segment, compile_tree(segment.rules, context, segment_id=segment.pk).q)
    members = SegmentMember.objects.filter(segment_id=segment.pk, customer_id=OuterRef("pk"))
    return within(segment, Q(Exists(members)))


def within(segment: Segment, q: Q) -> Q:
    """`q` narrowed to the segment's branches."""
    return q if segment.branch_ids is None else q & Q(home_branch_id__in=segment.branch_ids)


class _Compiler:
    """Walks one tree. `chain` holds the segments whose rules are being read, outermost first."""

    def __init__(
        self,
        context: RuleContext,
        chain: tuple[uuid.UUID, ...],
        visible: QuerySet[Segment] | None = None,
        conditions: int = 0,
        counts: int = 0,
        *,
        wanted: bool = True,
    ) -> None:
        self.context = context
        self.chain = chain
        self.visible = visible
        self.conditions = conditions
        self.counts = counts
        self.errors: dict[str, list[str]] = {}
        self.leaves: list[Leaf] = []
        self.wanted = wanted
        self.leaf_kinds: dict[str, LeafCompiler] = {"field": self.field, "segment": self.segment}
        for behaviour in all_behaviours().values():
            self.leaf_kinds[behaviour.name] = partial(self.counted, behaviour)

    def fault(self, path: str, message: str) -> Q:
        self.errors.setdefault(path, []).append(message)
        return Q()

    def node(self, node: Any, path: str, depth: int) -> Q:
        if isinstance(node, Mapping):
            for kind, compile_leaf in self.leaf_kinds.items():
                if kind in node:
                    return self.leaf(compile_leaf, node, path, depth)
        return self.group(node, path, depth)

    def group(self, node: Any, path: str, depth: int) -> Q:
        if not isinstance(node, Mapping):
            return self.fault(path, _("Give a group of conditions."))
        self.refuse_unknown_keys(node, path, {"operator", "conditions"})
        operator = node.get("operator")
        if operator not in GROUPS:
            self.fault(f"{path}.operator", _("Give AND, OR or NOT."))
        children = node.get("conditions")
        if not isinstance(children, list) or not children:
            return self.fault(f"{path}.conditions", _("Give at least one condition."))
        if depth > MAX_DEPTH:
            return self.fault(
                path, _("Groups are nested at most %(max)d deep.") % {"max": MAX_DEPTH}
            )
        parts = []
        # By De Morgan: what joins the parts turns over with what is wanted of the group.
        connector = Q.AND if (operator != "OR") == self.wanted else Q.OR
        self.wanted ^= operator == "NOT"
        for index, child in enumerate(children):
            parts.append(self.node(child, f"{path}.conditions.{index}", depth + 1))
            if self.conditions > MAX_CONDITIONS:
                break
        self.wanted ^= operator == "NOT"
        return parts[0] if len(parts) == 1 else Q(*parts, _connector=connector)

    def leaf(self, compile_leaf: LeafCompiler, node: Mapping[str, Any], path: str, depth: int) -> Q:
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            message = _("At most %(max)d conditions, those of named segments included.")
            return self.fault(path, message % {"max": MAX_CONDITIONS})
        q, field = compile_leaf(node, path, depth)
        self.leaves.append(Leaf(path, node, q, self.wanted, field))
        return q

    def as_wanted(self, q: Q) -> Q:
        return q if self.wanted else does_not_hold(Q(q))

    def field(
        self, node: Mapping[str, Any], path: str, _depth: int
    ) -> tuple[Q, SegmentField | None]:
        self.refuse_unknown_keys(node, path, {"field", "op", "value"})
        name, op = node["field"], node.get("op")
        field = self.context.fields.get(name) if isinstance(name, str) else None
        if field is None:
            return self.fault(f"{path}.field", _("There is no such field.")), None
        if op not in field.operators:
            known = ", ".join(field.operators)
            message = _("This field takes one of: %(operators)s.") % {"operators": known}
            return self.fault(f"{path}.op", message), field
        try:
            operand = self.context.fields.clean_operand(field, op, node.get("value"))
        except ValueError as error:
            return self.fault(f"{path}.value", str(error)), field
        return self.as_wanted(self.context.condition(field, op, operand)), field

    def counted(
        self, behaviour: Behaviour, node: Mapping[str, Any], path: str, _depth: int
    ) -> tuple[Q, SegmentField | None]:
        self.refuse_unknown_keys(node, path, {behaviour.name, "count", "within", "last"})
        self.counts += 1
        if self.counts > MAX_COUNTED:
            message = _("At most %(max)d conditions that count, those of named segments included.")
            return self.fault(path, message % {"max": MAX_COUNTED}), None
        counted = read_counted(behaviour, node, path, self.context, self.fault)
        if counted is None:
            return Q(), None
        times = self.context.condition(counted.field, counted.op, counted.times)
        return self.as_wanted(times), counted.field

    def segment(self, node: Mapping[str, Any], path: str, depth: int) -> tuple[Q, None]:
        self.refuse_unknown_keys(node, path, {"segment", "op"})
        op = node.get("op")
        if op not in ("in", "not_in"):
            self.fault(f"{path}.op", _("Give in or not_in."))
        segment = self.named_segment(node["segment"])
        if segment is None:
            return self.fault(f"{path}.segment", _("There is no such segment.")), None
        if segment.pk in self.chain:
            start = self.chain.index(segment.pk)
            circle = [self.context.segment(pk) for pk in self.chain[start:]]
            names = " → ".join(each.name for each in (*circle, segment) if each)
            message = _("A segment cannot contain itself: %(names)s.") % {"names": names}
            return self.fault(f"{path}.segment", message), None
        return self.members(segment, path, depth, wanted=self.wanted == (op != "not_in")), None

    def named_segment(self, value: Any) -> Segment | None:
        try:
            pk = uuid.UUID(value)
        except (ValueError, TypeError, AttributeError):
            return None
        if self.visible is not None and not self.visible.filter(pk=pk).exists():
            return None
        return self.context.segment(pk)

    def members(self, segment: Segment, path: str, depth: int, *, wanted: bool) -> Q:
        """The named segment's own condition, or (not `wanted`) that of whom it leaves out.

        Its groups are nested below the one that names it; its faults are told there.
        """
        if not segment.is_dynamic:
            q = membership(segment, self.context)
            return q if wanted else does_not_hold(q)
        inner = _Compiler(
            self.context,
            (*self.chain, segment.pk),
            conditions=self.conditions,
            counts=self.counts,
            wanted=wanted,
        )
        q = inner.group(segment.rules, "rules", depth)
        self.conditions, self.counts = inner.conditions, inner.counts
        if inner.errors:
            reason = next(iter(inner.errors.values()))[0]
            message = _("“%(name)s” cannot be used: %(reason)s")
            return self.fault(f"{path}.segment", message % {"name": segment.name, "reason": reason})
        if wanted or segment.branch_ids is None:
            return within(segment, q)
        return does_not_hold(Q(home_branch_id__in=segment.branch_ids)) | q

    def refuse_unknown_keys(self, node: Mapping[str, Any], path: str, known: set[str]) -> None:
        for key in sorted(set(node) - known):
            # Only a plain key is said again: others could not travel back as JSON.
            where = f"{path}.{key}" if key.isascii() and len(key) <= 50 else path
            self.fault(where, _("There is no such key here."))
