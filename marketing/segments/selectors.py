"""Reads of segments, and the audiences they stand for."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from customers.models import ContactPoint, Customer
from customers.rules import normalize_phone
from customers.selectors import branch_customers
from marketing.core.actor import Actor
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant
from marketing.segments.compiler import CompiledRules, compile_tree, membership
from marketing.segments.context import RuleContext
from marketing.segments.counting import Counting
from marketing.segments.models import Segment, SegmentVersion
from marketing.segments.negation import does_not_hold

SAMPLE_SIZE = 10


def audience(
    *,
    segment: Segment | None,
    branch_ids: Sequence[uuid.UUID] | None,
    exclude_segment_ids: Sequence[uuid.UUID] = (),
    now: dt.datetime,
    at_once: bool = False,
) -> QuerySet[Customer]:
    """The active customers of a segment, judged at `now`.

    `segment` None means everybody, `branch_ids` None every branch (else: customers whose home
    branch is one of them). People of an excluded segment are left out. `at_once` is for whoever
    reads all of them: what rules count is counted for everybody, not person by person. Raises
    `ValidationFailed` (by path) when rules can no longer be used, e.g. after an attribute
    was removed.
    """
    context = RuleContext(now=now, at_once=at_once)
    customers = active_customers(branch_ids)
    if segment is not None:
        customers = customers.filter(membership(segment, context))
    for excluded in _excluded(exclude_segment_ids):
        customers = customers.filter(does_not_hold(membership(excluded, context)))
    return customers


def active_customers(
    branch_ids: Sequence[uuid.UUID] | frozenset[uuid.UUID] | None,
) -> QuerySet[Customer]:
    """Active customers of these home branches; None means every branch and none."""
    customers = Customer.objects.filter(status=Customer.Status.ACTIVE)
    return customers if branch_ids is None else customers.filter(home_branch_id__in=branch_ids)


def definitions(segment_ids: Iterable[uuid.UUID]) -> dict[str, dict[str, Any]]:
    """What says who is in these segments, and in those that their rules name, by id.

    A static segment has no rules: its version changes with whom it holds.
    """
    found: dict[str, dict[str, Any]] = {}
    wanted = {str(pk) for pk in segment_ids}
    while wanted:
        segments = Segment.objects.filter(pk__in=wanted)
        named = set()
        for segment in segments:
            content: Any = segment.rules if segment.is_dynamic else segment.version
            branches = sorted(map(str, segment.branch_ids or ()))
            found[str(segment.pk)] = {"content": content, "branches": branches}
            named |= _named_in(segment.rules)
        wanted = named - found.keys()
    return found


def _named_in(node: Any) -> set[str]:
    """The ids of the segments that a rule tree names."""
    if isinstance(node, Mapping):
        own = {node["segment"]} if isinstance(node.get("segment"), str) else set()
        return own.union(*map(_named_in, node.values()))
    return set().union(*map(_named_in, node)) if isinstance(node, list) else set()


def _excluded(ids: Sequence[uuid.UUID]) -> list[Segment]:
    found = list(Segment.objects.filter(pk__in=ids))
    if len(found) != len(set(ids)):
        raise ValidationFailed(fields={"excludeSegmentIds": [_("There is no such segment.")]})
    return found


def segments_for_actor(actor: Actor) -> QuerySet[Segment]:
    """Built-in and chain-wide segments, and those that reach into the actor's branches."""
    segments = Segment.objects.filter(is_active=True)
    if actor.branch_ids is None:
        return segments
    return segments.filter(
        Q(branch_ids__isnull=True) | Q(branch_ids__overlap=sorted(actor.branch_ids))
    )


def get_segment_for_actor(actor: Actor, pk: uuid.UUID) -> Segment:
    """Raises `NotFound` for another branch's, another chain's, or a deleted one."""
    segment = segments_for_actor(actor).filter(pk=pk).first()
    if segment is None:
        raise NotFound()
    return segment


def versions_of(segment: Segment, newest: int) -> QuerySet[SegmentVersion]:
    """What the segment said after its last saves, the latest first."""
    return segment.versions.select_related("saved_by").order_by("-version")[:newest]


def members_for_actor(actor: Actor, segment: Segment, *, now: dt.datetime) -> QuerySet[Customer]:
    """The segment's customers of the actor's branches."""
    return audience(segment=segment, branch_ids=_sorted(actor.branch_ids), now=now)


@dataclass(frozen=True)
class Preview:
    """How many customers rules describe, and ten of them; with what they were judged by."""

    count: int
    sample: list[Customer]
    tree: CompiledRules
    context: RuleContext


def preview(
    actor: Actor,
    rules: Mapping[str, Any],
    branch_ids: Sequence[uuid.UUID] | None,
    *,
    segment_id: uuid.UUID | None = None,
    now: dt.datetime,
) -> Preview:
    """What a segment of these rules would hold, within the actor's branches.

    Raises `ValidationFailed` by path.
    """
    context = RuleContext(now=now)
    tree = compile_tree(rules, context, segment_id=segment_id, visible=segments_for_actor(actor))
    # A few are found person by person; how many there are, by going through what all did.
    at_once = compile_tree(rules, context.counting_at_once(), segment_id=segment_id)
    within = narrow_branches(actor, branch_ids)
    counting = Counting(within)
    few = counting.some(tree.q, SAMPLE_SIZE)
    return Preview(
        count=counting.count(at_once.q),
        sample=list(few.select_related("home_branch", "facts")),
        tree=tree,
        context=context,
    )


def described(
    actor: Actor,
    rules: Mapping[str, Any],
    branch_ids: Sequence[uuid.UUID] | None,
    *,
    segment_id: uuid.UUID | None = None,
    now: dt.datetime,
) -> QuerySet[Customer]:
    """Whom rules describe within the actor's branches, to be asked all together.

    Raises `ValidationFailed` by path.
    """
    context = RuleContext(now=now, at_once=True)
    visible = segments_for_actor(actor)
    tree = compile_tree(rules, context, segment_id=segment_id, visible=visible)
    return active_customers(narrow_branches(actor, branch_ids)).filter(tree.q)


def narrow_branches(actor: Actor, branch_ids: Sequence[uuid.UUID] | None) -> list[uuid.UUID] | None:
    """The branches asked for, checked; an actor with branches who asks for all gets theirs.

    Raises `ValidationFailed` at `branchIds` for a branch outside the actor's or the chain's.
    """
    if branch_ids is None:
        return _sorted(actor.branch_ids)
    asked = set(branch_ids)
    if not asked:
        raise ValidationFailed(
            fields={"branchIds": [_("Give at least one branch, or none at all.")]}
        )
    known = Branch.objects.filter(pk__in=asked).count()
    if known != len(asked) or not all(actor.has_branch(pk) for pk in asked):
        raise ValidationFailed(fields={"branchIds": [_("There is no such branch among yours.")]})
    return sorted(asked)


def branch_names(segment: Segment) -> list[str]:
    """The names of a segment's branches; empty when it is of all of them."""
    branches = Branch.objects.filter(pk__in=segment.branch_ids or ())
    return list(branches.values_list("name", flat=True))


@dataclass(frozen=True)
class PhoneMatch:
    """The customers of an uploaded list of phones, and the lines nobody was found for.

    Those are no phone numbers at all (`malformed`), or belong to nobody here (`unknown`).
    """

    customer_ids: list[uuid.UUID]
    malformed: list[str]
    unknown: list[str]


def match_phones(actor: Actor, phones: Sequence[str]) -> PhoneMatch:
    """Find the actor's branches' customers by any of their phones; a family shares one.

    Numbers without a country code are of the chain's country.
    """
    country = current_tenant().country
    numbers: dict[str, str] = {}
    malformed = []
    for text in phones:
        try:
            numbers[normalize_phone(text, country)] = text
        except ValueError:
            malformed.append(text)
    points = ContactPoint.objects.filter(
        kind=ContactPoint.Kind.PHONE, value__in=numbers, customer__in=branch_customers(actor)
    ).values_list("customer_id", "value")
    primary = branch_customers(actor).filter(phone__in=numbers).values_list("pk", "phone")
    found = {*points, *primary}
    known = {number for _pk, number in found}
    unknown = [text for number, text in numbers.items() if number not in known]
    return PhoneMatch(sorted({pk for pk, _number in found}), malformed, unknown)


def _sorted(branch_ids: frozenset[uuid.UUID] | None) -> list[uuid.UUID] | None:
    return None if branch_ids is None else sorted(branch_ids)
