"""What customers did: visits, bills, memberships, packages, and events of any name.

No index leads by branch or service: each of these has so many rows that nothing is found faster by
it, and every bill would pay for it. By staff only visits are found, newest first, a page at a time.
"""

from decimal import Decimal

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.catalogue import Service, ServiceCategory
from customers.models.customer import Customer
from marketing.core.models import Branch, Staff
from marketing.core.tenancy import AppendModel, TenantModel, loose_key


def _external_id(name: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(
        fields=["tenant", "external_id"], condition=~Q(external_id=""), name=name
    )


class Visit(TenantModel):
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="visits", db_index=False
    )
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="+", db_index=False)
    staff = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    external_id = models.CharField(max_length=100, blank=True)
    visited_at = models.DateTimeField()

    class Meta:
        constraints = [_external_id("visit_external_id")]
        indexes = [
            models.Index(fields=["customer", "-visited_at"], name="visit_by_customer"),
            models.Index(fields=["staff", "-visited_at"], name="visit_by_staff"),
        ]


class Purchase(TenantModel):
    """A finalised bill, in the chain's currency; `total` is what was paid, tax included.

    `refunded` is what of it was given back since: facts, rules and lists count what is left.
    `payments` are `{method, amount}`, as the counter named them.
    """

    class Status(models.TextChoices):
        FINALISED = "finalised", "Finalised"
        REFUNDED = "refunded", "Refunded"
        VOID = "void", "Void"

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="purchases", db_index=False
    )
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="+", db_index=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="purchases")
    external_id = models.CharField(max_length=100, blank=True)
    invoice_number = models.CharField(max_length=50, blank=True)
    subtotal = models.DecimalField(max_digits=12, decimal_places=2)
    discount = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))
    tax = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))
    total = models.DecimalField(max_digits=12, decimal_places=2)
    refunded = models.DecimalField(
        max_digits=12, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )
    payments = models.JSONField(default=list, db_default=[])
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.FINALISED)
    purchased_at = models.DateTimeField()

    class Meta:
        constraints = [_external_id("purchase_external_id")]
        indexes = [models.Index(fields=["customer", "-purchased_at"], name="purchase_by_customer")]


class PurchaseRefund(TenantModel):
    """Units of a bill that came back, or all of it; `operation` is the counter's name for it.

    `lines` maps a line's number to how many of its units.
    """

    purchase = models.ForeignKey(
        Purchase, on_delete=models.CASCADE, related_name="refunds", db_index=False
    )
    operation = models.CharField(max_length=100)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    lines = models.JSONField()
    refunded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "purchase", "operation"], name="purchase_refund_operation"
            )
        ]


class PurchaseLine(TenantModel):
    """`number` is its place on the bill, 0 where that was not told; `discount` is of the whole
    line and already off `amount`.
    """

    purchase = models.ForeignKey(
        Purchase, on_delete=models.CASCADE, related_name="lines", db_index=False
    )
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+", db_index=False)
    category = models.ForeignKey(
        ServiceCategory, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    staff = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    quantity = models.PositiveSmallIntegerField(default=1)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    number = models.PositiveSmallIntegerField(default=0, db_default=0)
    discount = models.DecimalField(
        max_digits=12, decimal_places=2, default=Decimal(0), db_default=Decimal(0)
    )
    refunded_quantity = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(refunded_quantity__lte=F("quantity")), name="purchase_line_refunded"
            )
        ]
        indexes = [models.Index(fields=["purchase"], name="purchase_line")]


class Membership(TenantModel):
    """Active through the day it expires on, unless cancelled before."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        EXPIRED = "expired", _("Expired")
        CANCELLED = "cancelled", _("Cancelled")

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="memberships", db_index=False
    )
    external_id = models.CharField(max_length=100, blank=True)
    plan = models.CharField(max_length=100)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    starts_on = models.DateField()
    expires_on = models.DateField()
    # When it was so, by the clock of who reported it; what is reported late changes nothing.
    as_of = models.DateTimeField(null=True)

    class Meta:
        constraints = [_external_id("membership_external_id")]
        indexes = [models.Index(fields=["customer", "-expires_on"], name="membership_by_customer")]


class Package(TenantModel):
    """Prepaid sessions; active while some are left, through the day it expires on."""

    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="packages", db_index=False
    )
    external_id = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=100)
    sessions_total = models.PositiveSmallIntegerField()
    sessions_used = models.PositiveSmallIntegerField(default=0)
    is_cancelled = models.BooleanField(default=False)
    starts_on = models.DateField()
    expires_on = models.DateField()
    # When it was so, by the clock of who reported it; what is reported late changes nothing.
    as_of = models.DateTimeField(null=True)

    class Meta:
        constraints = [_external_id("package_external_id")]
        indexes = [models.Index(fields=["customer", "-expires_on"], name="package_by_customer")]


class CustomerEvent(AppendModel):
    """Anything named that happened to a customer; how other trades use the product."""

    customer = loose_key("customers.Customer", db_index=False)
    name = models.CharField(max_length=60)
    properties = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    occurred_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["customer", "name", "-occurred_at"], name="event_by_customer")
        ]


class CustomerEventKey(TenantModel):
    """The sender's id of an event: what makes taking events in idempotent across partitions."""

    plain_keys = {"event_id": "customers.CustomerEvent"}

    external_id = models.CharField(max_length=100)
    event_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="customer_event_key")
        ]
