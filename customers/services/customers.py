"""Customers as people enter and mend them."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core import exceptions
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from customers import rules, selectors
from customers.facts import mark_stale
from customers.models import Channel, Customer, CustomerFacts
from customers.services.consent import assume_consent
from customers.services.contact_points import set_primary
from marketing.core import audit, events
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.plain_words import say_plainly
from marketing.core.selectors import branches_for_actor
from marketing.core.tenancy import current_tenant

WRITABLE = frozenset(
    {
        "external_id",
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
        "home_branch",
        "tags",
        "attributes",
        "latitude",
        "longitude",
    }
)


@transaction.atomic
def create_customer(*, actor: Actor, values: Mapping[str, Any], source: str) -> Customer:
    """Enter a customer; `values` are `WRITABLE` fields, phone and e-mail as people write them.

    `source` tells where she comes from (staff, counter, api, import, referral …). Somebody
    may have the same phone already: families share one. Without a home branch she gets the
    actor's only one. Raises `ValidationFailed` naming the fields at fault.
    """
    customer = Customer(source=source)
    cleaned = _clean(actor, customer, values)
    if "home_branch" not in cleaned and actor.branch_ids and len(actor.branch_ids) == 1:
        cleaned["home_branch"] = branches_for_actor(actor).first()
    for name, value in cleaned.items():
        setattr(customer, name, value)
    _save(customer)
    CustomerFacts(customer=customer).save(force_insert=True)
    set_primary(customer)
    assume_consent(actor=actor, customer=customer, source=source)
    mark_stale([customer.pk])
    audit.record(actor, "customer.create", customer, {"source": source})
    events.record(
        "customer.created",
        {"customerId": str(customer.pk), "source": source},
        actor_id=actor.user_id,
    )
    return customer


@transaction.atomic
def update_customer(
    *, actor: Actor, customer: Customer, values: Mapping[str, Any], version: int | None = None
) -> Customer:
    """Change the named fields; `attributes` are merged by key, None takes one away.

    With `version`, raises `Conflict` when somebody changed her since that version.
    """
    customer = Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=customer.pk)
    if customer.status != Customer.Status.ACTIVE:
        raise Conflict(_("This customer was erased or merged into another."))
    if version is not None and version != customer.version:
        raise Conflict(details={"current": {"version": customer.version}})
    differences = audit.difference(customer, _clean(actor, customer, values))
    if not differences:
        return customer
    for name, (_old, new) in differences.items():
        setattr(customer, name, new)
    customer.version += 1
    _save(customer)
    set_primary(customer)
    mark_stale([customer.pk])
    audit.record(actor, "customer.update", customer, _readable(differences))
    events.record(
        "customer.updated",
        {"customerId": str(customer.pk), "fields": sorted(differences)},
        actor_id=actor.user_id,
    )
    return customer


def _clean(actor: Actor, customer: Customer, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as they are stored; raises `ValidationFailed` with every field at fault."""
    wrong: dict[str, list[str]] = {
        name: [_("There is no such field.")] for name in set(values) - WRITABLE
    }
    cleaned = {name: value for name, value in values.items() if name in WRITABLE}
    tenant = current_tenant()

    def mend(name: str, rule: Callable[[Any], Any]) -> None:
        if cleaned.get(name):
            try:
                cleaned[name] = rule(cleaned[name])
            except ValueError as error:
                wrong[name] = [_(str(error))]

    mend("phone", lambda text: rules.normalize_phone(text, tenant.country))
    mend("email", rules.normalize_email)
    mend("tags", rules.clean_tags)
    for name in ("first_name", "last_name"):
        mend(name, lambda text: " ".join(text.split()))
    if "external_id" in cleaned:
        cleaned["external_id"] = cleaned["external_id"] or None
        if _leads_here(cleaned["external_id"], customer):
            del cleaned["external_id"]
    if cleaned.get("language", "en") not in {*tenant.languages, "en"}:
        wrong["language"] = [_("This language is not one of the chain's.")]
    if cleaned.get("preferred_channel", Channel.WHATSAPP) not in Channel.values:
        wrong["preferred_channel"] = [_("Choose WhatsApp, SMS or e-mail.")]
    branch = cleaned.get("home_branch")
    if branch and branch.pk != customer.home_branch_id and not actor.has_branch(branch.pk):
        wrong["home_branch"] = [_("This branch is not one of yours.")]
    if "attributes" in cleaned:
        cleaned["attributes"] = _merged(customer, cleaned["attributes"], wrong)
    if wrong:
        raise ValidationFailed(fields=wrong)
    return cleaned


def _leads_here(external_id: str | None, customer: Customer) -> bool:
    """Whether the number is that of somebody who was merged into the customer."""
    if not external_id or customer._state.adding:
        return False
    return Customer.objects.filter(external_id=external_id, merged_into=customer).exists()


def _merged(
    customer: Customer, given: Mapping[str, Any], wrong: dict[str, list[str]]
) -> dict[str, Any]:
    declared = selectors.attribute_types()
    merged = dict(customer.attributes)
    for key, value in given.items():
        if key not in declared:
            wrong[f"attributes.{key}"] = [_("There is no such attribute.")]
        elif value is None:
            merged.pop(key, None)
        else:
            try:
                merged[key] = rules.check_attribute(value, declared[key])
            except ValueError as error:
                wrong[f"attributes.{key}"] = [_(str(error))]
    return merged


def _save(customer: Customer) -> None:
    try:
        customer.clean_fields(exclude=["tenant", "home_branch", "merged_into", "version"])
    except exceptions.ValidationError as error:
        raise ValidationFailed(fields=say_plainly(error).message_dict) from error
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError as error:
        if "customer_external_id" not in str(error):
            raise
        raise ValidationFailed(
            fields={"external_id": [_("Another customer has this number of the other system.")]}
        ) from error


def _readable(changed: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Changes as the audit trail keeps them: branches by name, dates as text."""
    return {
        name: [str(value) if name == "home_branch" and value else value for value in pair]
        for name, pair in changed.items()
    }
