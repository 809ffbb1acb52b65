"""Bodies of the counter in the terms of the modules below: whose bill, of which services."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS

from customers.models import ContactPoint, Customer, Service
from customers.rules import normalize_phone
from customers.selectors import customers_for_actor, customers_with_address
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.prepared import kept_cursor
from marketing.core.sentences import gettext as _
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.coupons.pricing.bill import Cart, CartLine, CodesPolicy, EnteredCode
from marketing.coupons.pricing.bill_check import MOST_LINES

Data = Mapping[str, Any]
# What a bill may say to a module that takes part in it.
EFFECTS = ("points", "referral")
# Beside them in what is kept of a bill: no module is called so.
OF_BILL = "bill"
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterBill:
    """A bill as the counter has it; `services` are those of its lines, in their order."""

    branch_id: uuid.UUID
    customer_id: uuid.UUID | None
    cart: Cart
    services: Sequence[Service]
    asked: Mapping[str, Data] = field(default_factory=dict)


# Arrays, so that it is one statement however many lines there are.
SERVICE_FIELDS = Service._meta.concrete_fields
SERVICES = f"""
SELECT {", ".join(str(field.column) for field in SERVICE_FIELDS)} FROM customers_service
WHERE tenant_id = %(tenant)s
  AND (id = ANY(%(ids)s::uuid[]) OR external_id = ANY(%(names)s::text[]))
"""  # noqa: S608  names of our own columns


def require_size(body: object) -> None:
    """Raises `ValidationFailed` for more lines than a bill has, before each is looked at."""
    lines = body.get("lines", []) if isinstance(body, Mapping) else []
    if not isinstance(lines, list):
        raise ValidationFailed(fields={"lines": [_("A list is needed.")]})
    if len(lines) > MOST_LINES:
        raise ValidationFailed(fields={"lines": [_("At most %d lines.") % MOST_LINES]})


def read_bill(actor: Actor, data: Data, *, at: dt.datetime | None = None) -> CounterBill:
    """The bill of a validated body. Raises `ValidationFailed` at what is not known here."""
    services = _services(data["lines"])
    return CounterBill(
        branch_id=branch_of(actor, data),
        customer_id=customer_of(actor, data),
        cart=Cart(
            branch="",
            at=at or data.get("at") or clock.now(),
            timezone="UTC",
            lines=tuple(
                _line(line, place, service)
                for place, (line, service) in enumerate(
                    zip(data["lines"], services, strict=True), start=1
                )
            ),
            codes=tuple(EnteredCode(code=code) for code in data["codes"]),
            codes_policy=CodesPolicy(data["codes_policy"]),
            prices_include_tax=data["prices_include_tax"],
        ),
        services=services,
        asked={name: data[name] for name in EFFECTS if data.get(name)},
    )


def branch_of(actor: Actor, data: Data) -> uuid.UUID:
    """The branch named, or the only one there is for the actor."""
    named: uuid.UUID | None = data.get("branch_id")
    if named is None and actor.branch_ids is not None and len(actor.branch_ids) == 1:
        return next(iter(actor.branch_ids))
    if named is None:
        raise ValidationFailed(fields={"branchId": [_("Say which branch.")]})
    if not actor.has_branch(named):
        raise no_such_branch()
    return named


def no_such_branch() -> ValidationFailed:
    return ValidationFailed(fields={"branchId": [_("There is no such branch.")]})


def at_its_field(work: Callable[[], Found]) -> Found:
    """What `work` does not find, of branch and customer, told at its field of the body."""
    try:
        return work()
    except NotFound as error:
        if "customerId" in error.details:
            raise _no_such_customer("customerId") from error
        raise no_such_branch() from error


def customer_of(actor: Actor, data: Data) -> uuid.UUID | None:
    """Whose bill it is: by id (looked at when it is priced), phone, or the chain's own id."""
    names = ("customer_id", "customer_phone", "customer_external_id")
    given = [name for name in names if data.get(name)]
    if len(given) > 1:
        raise ValidationFailed(fields={"customerId": [_("Name the customer once.")]})
    if phone := data.get("customer_phone"):
        return _by_phone(phone)
    if external_id := data.get("customer_external_id"):
        found = customers_for_actor(actor).filter(external_id=external_id)
        pk = found.values_list("pk", flat=True).first()
        if pk is None:
            raise _no_such_customer("customerExternalId")
        return pk
    named: uuid.UUID | None = data.get("customer_id")
    return named


def _by_phone(phone: str) -> uuid.UUID:
    try:
        value = normalize_phone(phone, current_tenant().country)
    except ValueError as error:
        raise ValidationFailed(fields={"customerPhone": [str(error)]}) from error
    found = customers_with_address(ContactPoint.Kind.PHONE, value)
    ids = list(found.values_list("pk", flat=True)[:20])
    if len(ids) > 1:
        raise ValidationFailed(
            fields={"customerPhone": [_("Several customers have this number; say which by id.")]},
            details={"customerIds": [str(pk) for pk in ids]},
        )
    if not ids:
        raise _no_such_customer("customerPhone")
    return ids[0]


def _no_such_customer(name: str) -> ValidationFailed:
    return ValidationFailed(fields={name: [_("There is no such customer.")]})


def get_customer(pk: uuid.UUID) -> Customer:
    """Who may be on a bill; `standing` finds who stands for her. Raises at `customerId`."""
    customer = Customer.objects.kept(pk)
    if customer is None or customer.status == Customer.Status.ERASED:
        raise _no_such_customer("customerId")
    return customer


def _services(lines: Sequence[Data]) -> list[Service]:
    """The lines' services, in one statement."""
    ids = {line["service_id"] for line in lines if "service_id" in line}
    names = {line["service_external_id"] for line in lines if "service_external_id" in line}
    if not ids and not names:
        return []
    with kept_cursor() as cursor:
        cursor.execute(
            SERVICES, {"tenant": current_tenant_id(), "ids": list(ids), "names": list(names)}
        )
        rows = cursor.fetchall()
    columns = [field.attname for field in SERVICE_FIELDS]
    known: dict[Any, Service] = {}
    for row in rows:
        found = Service.from_db(DEFAULT_DB_ALIAS, columns, row)
        known[found.pk] = known[found.external_id] = found
    services, faults = [], {}
    for place, line in enumerate(lines):
        name = "service_id" if "service_id" in line else "service_external_id"
        service = known.get(line[name])
        if service is None:
            wire = "serviceId" if name == "service_id" else "serviceExternalId"
            faults[f"lines.{place}.{wire}"] = [_("There is no such service.")]
            continue
        if line.get("category_id") not in (None, service.category_id):
            faults[f"lines.{place}.categoryId"] = [_("The service is of another category.")]
        services.append(service)
    if faults:
        raise ValidationFailed(fields=faults)
    return services


def _line(line: Data, place: int, service: Service) -> CartLine:
    rate = line.get("tax_rate")
    if rate is None:
        rate = service.tax_rate
    return CartLine(
        number=line.get("number") or place,
        service=str(service.pk),
        category=str(service.category_id),
        quantity=line["quantity"],
        unit_price=paise(line["unit_price"]),
        manual_discount=paise(line["manual_discount"]),
        floor_price=paise(line["floor_price"]),
        tax_rate_bp=None if rate is None else paise(rate),
        performed_on=line.get("performed_on"),
        is_addon=line["is_addon"],
    )


def paise(amount: Decimal | int) -> int:
    """Rupees of two places in paise; percent in basis points."""
    return int(amount * 100)


def rupees(amount: int) -> str:
    """Paise (or basis points) as the contract's decimal text."""
    return f"{amount // 100}.{amount % 100:02d}" if amount else "0.00"
