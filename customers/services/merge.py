"""Two customers who are one person become one, and apart again while that can be undone.

Both rows are locked in the order of their ids, for whoever writes something of them: what was
committed before moves with the rest, what comes later finds the survivor (`standing`).
"""

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils.translation import gettext as _

from customers import merging
from customers.facts import mark_stale
from customers.models import Customer, CustomerMerge
from customers.rules import clean_tags
from customers.selectors import UNDO_WITHIN
from customers.services import duplicates, merged_addresses, merged_consent
from marketing.core import audit, clock, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed

KEEP, OTHER = "keep", "other"
FIELDS = (
    "first_name",
    "last_name",
    "phone",
    "email",
    "whatsapp_id",
    "birth_date",
    "anniversary",
    "gender",
    "language",
    "preferred_channel",
    "home_branch_id",
)
PLACE = ("latitude", "longitude")
ATTRIBUTE = "attributes."


@transaction.atomic
def merge_customers(
    *, actor: Actor, keep: Customer, other: Customer, choices: Mapping[str, str]
) -> CustomerMerge:
    """Make `other` part of `keep`.

    `choices` says by field (`FIELDS`, "location", "attributes.<key>") whose value stands, "keep"
    or "other"; where nothing is said, that of `keep` unless it is empty. Tags, addresses, notes
    and everything that happened are united; consent is the stricter of both. Raises
    `ValidationFailed` at a wrong choice, `Conflict` when one of them is erased or merged already.
    """
    actor.require("customer.merge")
    if keep.pk == other.pk:
        raise ValidationFailed(fields={"other": [_("Choose another customer.")]})
    keep, other = _lock_active(keep, other)
    taken = _taken(keep, other, choices)
    record: dict[str, Any] = {"merged": {name: getattr(other, name) for name in FIELDS}}
    record["addresses"] = merged_addresses.merge_addresses(keep=keep, other=other)
    record["survivor"], record["attributes"], record["tags"] = _take(keep, other, taken)
    record["consent"] = merged_consent.merge_consent(actor=actor, keep=keep, other=other)
    merge = merging.Merge(survivor=keep.pk, merged=other.pk)
    record["moved"] = {held.name: held.move(merge) for held in merging.holdings()}
    record["tombstones"] = _follow(other, keep)
    for name in merged_addresses.COLUMNS:
        setattr(other, name, "")
    other.status, other.merged_into = Customer.Status.MERGED, keep
    for one in (keep, other):
        one.version += 1
        one.save()
    merged_addresses.set_primary(keep)
    made = CustomerMerge.objects.create(
        survivor=keep,
        merged=other,
        record=_plain(record),
        merged_at=clock.now(),
        merged_by=actor.user,
    )
    duplicates.merge_pairs(keep=keep, other=other)
    mark_stale([keep.pk, other.pk])
    audit.record(actor, "customer.merge", keep, {"merged": str(other.pk)})
    payload = {"customerId": str(keep.pk), "mergedId": str(other.pk)}
    events.record("customer.merged", payload, actor_id=actor.user_id)
    return made


@transaction.atomic
def undo_merge(*, actor: Actor, merge: CustomerMerge) -> None:
    """Make two of them again, each as she was, within `UNDO_WITHIN`.

    What came to the survivor since stays with her, and so does what was changed by hand since.
    Raises `Conflict` when it is too late, was done already, or a later merge stands on this one.
    """
    actor.require("customer.merge")
    keep, other = (_lock(each.pk) for each in (merge.survivor, merge.merged))
    merge = CustomerMerge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    _check_undoable(merge, keep, other)
    record = merge.record
    ends = merging.Merge(survivor=keep.pk, merged=other.pk)
    moved = record["moved"]
    for held in reversed(merging.holdings()):
        if held.name in moved:
            held.restore(ends, moved[held.name])
    _give_back(keep, record)
    for name, value in record["merged"].items():
        setattr(other, name, _typed(name, value))
    other.status, other.merged_into = Customer.Status.ACTIVE, None
    for one in (keep, other):
        one.version += 1
        one.save()
    Customer.objects.filter(pk__in=record["tombstones"], merged_into=keep).update(merged_into=other)
    merged_addresses.separate_addresses(keep=keep, other=other, record=record["addresses"])
    merged_consent.separate_consent(actor=actor, merge=merge, keep=keep, other=other)
    merge.undone_at, merge.undone_by, merge.record = clock.now(), actor.user, {}
    merge.save()
    duplicates.dismiss_pair(actor=actor, one=keep, another=other)
    mark_stale([keep.pk, other.pk])
    audit.record(actor, "customer.separate", keep, {"merged": str(other.pk)})
    payload = {"customerId": str(keep.pk), "mergedId": str(other.pk)}
    events.record("customer.separated", payload, actor_id=actor.user_id)


@transaction.atomic
def forget_old_merges() -> int:
    """Forget what can no longer undo anything; returns how many merges had it."""
    old = CustomerMerge.objects.filter(merged_at__lt=clock.now() - UNDO_WITHIN)
    return old.exclude(record={}).update(record={})


def _lock_active(keep: Customer, other: Customer) -> tuple[Customer, Customer]:
    """One after the other: who was merged is not held while the other is waited for."""
    found = {}
    for pk in sorted((keep.pk, other.pk)):
        found[pk] = _lock(pk)
        if found[pk].status != Customer.Status.ACTIVE:
            raise Conflict(_("One of them was erased or merged meanwhile. Look again."))
    return found[keep.pk], found[other.pk]


def _lock(pk: uuid.UUID) -> Customer:
    return Customer.objects.select_for_update().get(pk=pk)


def _taken(keep: Customer, other: Customer, choices: Mapping[str, str]) -> set[str]:
    """The fields whose value is the other's; "attributes.<key>" for attributes."""
    mine, hers = _values(keep), _values(other)
    known = {*FIELDS, "location", *(name for name in {*mine, *hers} if ATTRIBUTE in name)}
    wrong = {
        name: [_("Choose one of the two.")]
        for name, choice in choices.items()
        if name not in known or choice not in (KEEP, OTHER)
    }
    if choices.get("first_name") == OTHER and not other.first_name:
        wrong["first_name"] = [_("There is no name to take.")]
    if wrong:
        raise ValidationFailed(fields=wrong)
    return {
        name
        for name in known
        if choices.get(name, OTHER if _is_empty(mine.get(name)) else KEEP) == OTHER
        and mine.get(name) != hers.get(name)
    }


def _values(customer: Customer) -> dict[str, Any]:
    """What may be chosen of a customer, by the name of the choice."""
    place = tuple(getattr(customer, name) for name in PLACE)
    return {
        **{name: getattr(customer, name) for name in FIELDS},
        "location": None if place == (None, None) else place,
        **{f"{ATTRIBUTE}{key}": value for key, value in customer.attributes.items()},
    }


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _take(
    keep: Customer, other: Customer, taken: set[str]
) -> tuple[dict[str, list[Any]], dict[str, list[Any]], list[str]]:
    """Give the survivor what is hers from now on; what that changed, as [before, after]."""
    names = [name for name in FIELDS if name in taken]
    names += PLACE if "location" in taken else ()
    fields = {name: [getattr(keep, name), getattr(other, name)] for name in names}
    for name, (_before, after) in fields.items():
        setattr(keep, name, after)
    attributes = {}
    for name in sorted(taken):
        if name.startswith(ATTRIBUTE):
            key = name.removeprefix(ATTRIBUTE)
            attributes[key] = [keep.attributes.get(key), other.attributes.get(key)]
            _put(keep.attributes, key, other.attributes.get(key))
    try:
        tags = clean_tags([*keep.tags, *other.tags])
    except ValueError as error:
        raise ValidationFailed(fields={"tags": [_(str(error))]}) from error
    added = tags[len(keep.tags) :]
    keep.tags = tags
    return fields, attributes, added


def _give_back(keep: Customer, record: Mapping[str, Any]) -> None:
    """Undo what the merge changed of the survivor, where it still stands."""
    for name, (before, after) in record["survivor"].items():
        if _plain(getattr(keep, name)) == after:
            setattr(keep, name, _typed(name, before))
    for key, (before, after) in record["attributes"].items():
        if keep.attributes.get(key) == after:
            _put(keep.attributes, key, before)
    keep.tags = [tag for tag in keep.tags if tag not in record["tags"]]


def _put(attributes: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        attributes.pop(key, None)
    else:
        attributes[key] = value


def _follow(other: Customer, keep: Customer) -> list[str]:
    """Let those who were merged into `other` before be found as `keep`; returns their ids."""
    earlier = Customer.objects.filter(merged_into=other)
    ids = [str(pk) for pk in earlier.values_list("pk", flat=True)]
    earlier.update(merged_into=keep)
    return ids


def _check_undoable(merge: CustomerMerge, keep: Customer, other: Customer) -> None:
    if merge.undone_at:
        raise Conflict(_("This merge was undone already."))
    if not merge.record or merge.merged_at < clock.now() - UNDO_WITHIN:
        raise Conflict(_("A merge can be undone for 30 days only."))
    if keep.status != Customer.Status.ACTIVE:
        raise Conflict(_("Undo the later merge of this customer first."))
    later = keep.merges.filter(undone_at=None, pk__gt=merge.pk)
    if other.merged_into_id != keep.pk or later.exists():
        raise Conflict(_("Undo the later merge of this customer first."))


def _plain(value: Any) -> Any:
    """As it comes back from a JSON column."""
    return json.loads(json.dumps(value, cls=_Exact))


class _Exact(DjangoJSONEncoder):
    """Moments to the microsecond, which Django's own encoder cuts off."""

    def default(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, dt.datetime) else super().default(value)


def _typed(name: str, value: Any) -> Any:
    """What a JSON column kept of the field."""
    [field] = (field for field in Customer._meta.concrete_fields if field.attname == name)
    return field.to_python(value)
