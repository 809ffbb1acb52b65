"""Why a customer is, or is not, in a segment: the verdict on each of its conditions."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import override

from customers.models import Customer
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.segments.compiler import CompiledRules, Leaf, compile_tree, membership
from marketing.segments.context import RuleContext
from marketing.segments.local_time import LocalDay
from marketing.segments.models import Segment
from marketing.segments.selectors import branch_names, segments_for_actor
from marketing.segments.sentence import describe_condition, describe_value

# How many reasons are told of one person.
REASONS = 3
# Segments judged in one statement, which can have 1,664 columns.
AT_A_TIME = 500


@dataclass(frozen=True)
class Verdict:
    """One condition, the customer's own value, whether it holds, and whether it should."""

    path: str
    sentence: str
    value: str
    passed: bool
    wanted: bool = True


@dataclass(frozen=True)
class Explanation:
    """Whether she is in, and the verdicts in the order the rules are written.

    With OR and NOT, she may be in although a condition does not hold, and the other way round.
    """

    included: bool
    verdicts: list[Verdict]


def explain_membership(
    subject: Segment | Mapping[str, Any], customer: Customer, *, language: str, now: dt.datetime
) -> Explanation:
    """The verdicts of a segment, or of bare rules, on one customer; read in one statement.

    Raises `ValidationFailed` (by path) when the rules cannot be used.
    """
    context = RuleContext(now=now)
    segment = subject if isinstance(subject, Segment) else None
    tree = _tree(subject, context)
    whole = membership(segment, context) if segment else tree.q
    columns = _columns(tree.leaves, context.today(customer.home_branch))
    columns["included"] = _truth(whole & Q(status=Customer.Status.ACTIVE))
    row: Mapping[str, Any] = Customer.objects.filter(pk=customer.pk).values(**columns).get()
    verdicts = _scope_verdicts(segment, customer, language)
    for index, leaf in enumerate(tree.leaves):
        verdicts.append(
            Verdict(
                path=leaf.path,
                sentence=describe_condition(leaf.node, language, context),
                value=_own_value(leaf, row.get(f"value_{index}"), customer, language, context),
                passed=row[f"as_wanted_{index}"] == leaf.wanted,
                wanted=leaf.wanted,
            )
        )
    return Explanation(row["included"], verdicts)


def matching_reasons(
    rules: Mapping[str, Any],
    tree: CompiledRules,
    customers: Sequence[Customer],
    *,
    language: str,
    context: RuleContext,
) -> dict[uuid.UUID, list[str]]:
    """For each customer of the rules up to three conditions that let her in, with her values.

    Read in one statement.
    """
    reasons: dict[uuid.UUID, list[str]] = {customer.pk: [] for customer in customers}
    columns = _columns(tree.leaves, context.today(None))
    rows = Customer.objects.filter(pk__in=reasons).values("pk", **columns)
    found: dict[uuid.UUID, Mapping[str, Any]] = {row["pk"]: row for row in rows}
    for customer in customers:
        row = found.get(customer.pk, {})
        passed = {
            leaf.path: row.get(f"as_wanted_{n}") == leaf.wanted
            for n, leaf in enumerate(tree.leaves)
        }
        _holds, letting_in = _deciding(rules, "rules", passed)
        told = [
            _reason(leaf, row.get(f"value_{index}"), customer, language, context)
            for index, leaf in enumerate(tree.leaves)
            if leaf.path in letting_in
        ]
        # Two conditions on one field say the same of her.
        reasons[customer.pk] = list(dict.fromkeys(told))[:REASONS]
    return reasons


def _deciding(
    node: Mapping[str, Any], path: str, passed: Mapping[str, bool]
) -> tuple[bool, set[str]]:
    """Whether the node holds, and the paths of the conditions by which it does.

    That a group holds because something is not so is no condition of its own.
    """
    if path in passed:
        return passed[path], {path}
    children = [
        _deciding(child, f"{path}.conditions.{index}", passed)
        for index, child in enumerate(node["conditions"])
    ]
    held = [holds for holds, _paths in children]
    by = {each for holds, paths in children if holds for each in paths}
    if node["operator"] == "NOT":
        return not any(held), set()
    holds = all(held) if node["operator"] == "AND" else any(held)
    return holds, by if holds else set()


def _reason(
    leaf: Leaf, stored: Any, customer: Customer, language: str, context: RuleContext
) -> str:
    if leaf.field is None:
        return describe_condition(leaf.node, language, context)
    with override(language):
        label = str(leaf.field.label)
    value = _own_value(leaf, stored, customer, language, context)
    return f"{label[:1].upper()}{label[1:]}: {value}"


def _columns(leaves: Sequence[Leaf], day: LocalDay) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for index, leaf in enumerate(leaves):
        columns[f"as_wanted_{index}"] = _truth(leaf.q)
        if leaf.field is not None:
            columns[f"value_{index}"] = leaf.field.source.on(day).expression()
    return columns


def _tree(subject: Segment | Mapping[str, Any], context: RuleContext) -> CompiledRules:
    if not isinstance(subject, Segment):
        return compile_tree(subject, context)
    if subject.is_dynamic:
        return compile_tree(subject.rules, context, segment_id=subject.pk)
    return CompiledRules(Q(), ())


def _truth(q: Q) -> Case:
    return Case(When(q, then=Value(True)), default=Value(False))


def _own_value(
    leaf: Leaf, stored: Any, customer: Customer, language: str, context: RuleContext
) -> str:
    if leaf.field is None:
        return ""
    value = leaf.field.type.read(stored, context.today(customer.home_branch))
    return describe_value(leaf.field, value, language, context)


def _scope_verdicts(segment: Segment | None, customer: Customer, language: str) -> list[Verdict]:
    """What decides besides the rules: her status, the segment's branches, a static list."""
    verdicts = []
    with override(language):
        if customer.status != Customer.Status.ACTIVE:
            verdicts.append(
                Verdict("status", _("Is a customer still"), customer.get_status_display(), False)
            )
        if segment is not None and segment.branch_ids is not None:
            verdicts.append(
                Verdict(
                    "branchIds",
                    _("Home branch is one of %(branches)s")
                    % {"branches": ", ".join(branch_names(segment))},
                    customer.home_branch.name if customer.home_branch else "–",
                    customer.home_branch_id in segment.branch_ids,
                )
            )
        if segment is not None and not segment.is_dynamic:
            is_listed = segment.members.filter(customer=customer).exists()
            verdicts.append(Verdict("customerIds", _("Is on the list"), "", is_listed))
    return verdicts


def segments_of(actor: Actor, customer: Customer, *, now: dt.datetime) -> list[Segment]:
    """The segments visible to the actor that hold the customer.

    Judged by the hundred in one statement. Segments whose rules can no longer be used hold nobody.
    """
    context = RuleContext(now=now)
    segments = list(segments_for_actor(actor).order_by("name"))
    context.know(segments)
    if customer.status != Customer.Status.ACTIVE:
        return []
    holding: list[Segment] = []
    for first in range(0, len(segments), AT_A_TIME):
        some = segments[first : first + AT_A_TIME]
        columns: dict[str, Any] = {}
        for segment in some:
            try:
                columns[f"in_{segment.pk.hex}"] = _truth(membership(segment, context))
            except ValidationFailed:
                continue
        row = Customer.objects.filter(pk=customer.pk).values("pk", **columns).get()
        holding += [segment for segment in some if row.get(f"in_{segment.pk.hex}")]
    return holding
