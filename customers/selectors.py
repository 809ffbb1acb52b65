"""Reads. A customer is chain-wide to look up; lists follow the actor's branches."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from zoneinfo import ZoneInfo

from django.db.models import Func, Q, QuerySet, UUIDField, Value
from django.utils.translation import gettext as _

from customers import rules
from customers.models import (
    AttributeDefinition,
    CategoryRhythm,
    ConsentRecord,
    ContactPoint,
    Customer,
    CustomerMerge,
    DuplicatePair,
    Suppression,
)
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.prepared import kept_cursor
from marketing.core.tenancy import current_tenant, current_tenant_id

UNDO_WITHIN = dt.timedelta(days=30)
ACTIVE = "SELECT id FROM customers_customer WHERE tenant_id = %s AND id = %s AND status = 'active'"


def customers_for_actor(actor: Actor) -> QuerySet[Customer]:
    """Everybody the chain knows: for look-ups, the customer's page and the counter."""
    return Customer.objects.filter(status=Customer.Status.ACTIVE)


def branch_customers(actor: Actor) -> QuerySet[Customer]:
    """The customers of the actor's branches: for lists, segments, campaigns and exports."""
    customers = customers_for_actor(actor)
    if actor.branch_ids is None:
        return customers
    return customers.filter(home_branch__in=actor.branch_ids)


def get_customer_for_actor(actor: Actor, pk: uuid.UUID) -> Customer:
    """The customer with her facts and consent, or `NotFound`.

    Who was merged is found as the person she became one with.
    """
    customers = customers_for_actor(actor).select_related(
        "consent",
        "home_branch",
        "facts__favourite_service",
        "facts__favourite_branch",
        "facts__favourite_staff",
    )
    customer = customers.filter(pk=pk).first() or customers.filter(pk__in=_survivor(pk)).first()
    if customer is None:
        raise NotFound()
    return customer


def get_customer_id_for_actor(actor: Actor, pk: uuid.UUID) -> uuid.UUID:
    """Her id alone, for who asks often; found and refused as `get_customer_for_actor` does."""
    with kept_cursor() as cursor:
        cursor.execute(ACTIVE, [current_tenant_id(), pk])
        row = cursor.fetchone()
    return row[0] if row else get_customer_for_actor(actor, pk).pk


@dataclass(frozen=True)
class Rhythm:
    """How often she has services of one category, and whether she is late for them today."""

    category: str
    rhythm: CategoryRhythm
    is_overdue: bool


def rhythms_of(customer: Customer) -> list[Rhythm]:
    """The customer's rhythms, the latest visit first."""
    branch = customer.home_branch
    zone = branch.time_zone if branch else current_tenant().time_zone
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    rhythms = CategoryRhythm.objects.filter(customer=customer)
    return [
        Rhythm(rhythm.category.name, rhythm, rhythm.due_on < today)
        for rhythm in rhythms.select_related("category").order_by("-last_at", "pk")
    ]


def person_behind_link(pk: uuid.UUID) -> Customer | None:
    """The active customer whom a signed link names, or whom she was merged into."""
    active = Customer.objects.filter(status=Customer.Status.ACTIVE)
    return active.filter(pk=pk).first() or active.filter(pk__in=_survivor(pk)).first()


def _survivor(pk: uuid.UUID) -> QuerySet[Customer, uuid.UUID | None]:
    merged = Customer.objects.filter(pk=pk, status=Customer.Status.MERGED)
    return merged.values_list("merged_into_id", flat=True)


def search_customers(actor: Actor, text: str) -> QuerySet[Customer]:
    """Customers with every word of `text` in their name or, for digits, in their phone.

    Any part matches from three letters or digits on; shorter words match the beginning of a
    name's word. Without a word there is nobody.
    """
    words = rules.search_words(text)
    if not words:
        return Customer.objects.none()
    return customers_for_actor(actor).filter(*map(_matches, words))


def first_of(customers: QuerySet[Customer], limit: int) -> list[Customer]:
    """The first ones in the order given, with what lists show of them.

    Found before they are read: joined first, everybody called Sharma would be.
    """
    ids = list(customers.values_list("pk", flat=True)[:limit])
    known = Customer.objects.select_related("facts", "consent", "home_branch").in_bulk(ids)
    return [known[pk] for pk in ids if pk in known]


def _matches(word: rules.SearchWord) -> Q:
    if word.digits:
        return reduce(or_, (Q(phone__contains=part) for part in word.digits))
    named = _named(word.text, "search_name")
    key = rules.search_key(word.text)
    return _named(key, "search_key") & named if key else named


def _named(text: str, column: str) -> Q:
    if len(text) < rules.SHORTEST_PHONE_PART:
        return Q(**{f"{column}__startswith": text}) | Q(**{f"{column}__contains": f" {text}"})
    return Q(**{f"{column}__contains": text})


def customers_with_address(kind: str, value: str) -> QuerySet[Customer]:
    """Active customers who have this normalised address (a `ContactPoint.Kind`), primary or not."""
    field = {"phone": "phone", "email": "email", "whatsapp": "whatsapp_id"}[kind]
    points = ContactPoint.objects.filter(kind=kind, value=value).values("customer_id")
    primary = Customer.objects.filter(**{field: value}).values("pk")
    return Customer.objects.filter(
        pk__in=points.union(primary), status=Customer.Status.ACTIVE
    ).order_by("pk")


def ids_holding(addresses: Iterable[str]) -> list[uuid.UUID]:
    """Of whoever has one of these normalised addresses, of any kind, primary or not."""
    held = sorted(set(addresses) - {""})
    by_phone = Customer.objects.filter(phone__in=held).values_list("pk")
    by_email = Customer.objects.filter(email__in=held).values_list("pk")
    kinds = (ContactPoint.Kind.PHONE, ContactPoint.Kind.EMAIL, ContactPoint.Kind.WHATSAPP)
    beside = ContactPoint.objects.filter(kind__in=kinds, value__in=held).values_list("customer_id")
    return [pk for (pk,) in by_phone.union(by_email, beside)]


def may_come_apart(customer_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these customers who took in somebody by a merge that can still be undone."""
    merges = CustomerMerge.objects.filter(
        survivor__in=list(customer_ids), undone_at=None, merged_at__gte=clock.now() - UNDO_WITHIN
    )
    return set(merges.values_list("survivor_id", flat=True))


def open_duplicates(actor: Actor) -> QuerySet[DuplicatePair]:
    """Pairs that may be one person and reach into the actor's branches, the likeliest first."""
    active = Customer.Status.ACTIVE
    pairs = DuplicatePair.objects.filter(
        dismissed_at=None, first__status=active, second__status=active
    )
    if actor.branch_ids is not None:
        pairs = pairs.filter(
            Q(first__home_branch__in=actor.branch_ids) | Q(second__home_branch__in=actor.branch_ids)
        )
    people = ("first__home_branch", "first__facts", "second__home_branch", "second__facts")
    return pairs.select_related(*people).order_by("-score", "-id")


def recent_merges() -> QuerySet[CustomerMerge]:
    """Merges that can still be undone, newest first; chain-wide like merging itself."""
    merges = CustomerMerge.objects.filter(
        undone_at=None, merged_at__gte=clock.now() - UNDO_WITHIN
    ).exclude(record={})
    people = ("survivor", "merged", "merged_by__staff")
    return merges.select_related(*people).defer("record").order_by("-id")


def consent_lines(
    customer: Customer, *, before: str = "", limit: int = 50
) -> tuple[list[ConsentRecord], uuid.UUID | None]:
    """A page of the customer's ledger, newest first, and what older ones come before.

    Raises `ValidationFailed` when `before` is not of ours.
    """
    lines = customer.consent_records.select_related("user__staff").order_by("-id")
    if before:
        try:
            lines = lines.filter(pk__lt=uuid.UUID(before))
        except ValueError as error:
            raise ValidationFailed(_("This is not a page of the list.")) from error
    found = list(lines[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def suppressions_of(addresses: Iterable[str]) -> QuerySet[Suppression]:
    """The suppressions of these addresses, on any channel."""
    tenant_id = Value(current_tenant_id(), output_field=UUIDField())
    hashes = [
        Func(tenant_id, Value(address), function="parlour_address_hash")
        for address in addresses
        if address
    ]
    return Suppression.objects.filter(address_hash__in=hashes)


def attribute_types() -> dict[str, rules.AttributeType]:
    """The declared custom attributes by key."""
    return {
        definition.key: rules.AttributeType(definition.type, tuple(definition.choices))
        for definition in AttributeDefinition.objects.all()
    }


def attribute_labels() -> dict[str, str]:
    """The declared custom attributes' names for people, by key."""
    return dict(AttributeDefinition.objects.values_list("key", "label"))
