"""Customers of the open tenant scope, and what they did.

    CustomerFactory(home_branch=chain.north)                   consents to everything, explicitly
    CustomerFactory(consent=False)                             nothing is known of her consent
    CustomerFactory(consent={"sms_promotional": False})        all but that
    CustomerFactory(facts={"visit_count": 3})                  facts set by hand
    PurchaseFactory(customer=customer, branch=branch, lines=2) a bill with its lines

Activity made here marks nothing stale: call `facts.rebuild_all()` to derive facts from it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import factory
from django.db import connection
from django.utils import timezone
from factory.django import DjangoModelFactory

from customers.copied import sources
from customers.facts_columns import COPIES
from customers.models import (
    ConsentState,
    Customer,
    CustomerFacts,
    Membership,
    Package,
    Purchase,
    PurchaseLine,
    Service,
    ServiceCategory,
    Visit,
)
from marketing.core.models import Branch
from tests.factories.core import BranchFactory

EVERYTHING = {
    f"{channel}_{field}": value
    for channel in ("whatsapp", "sms", "email")
    for field, value in (("promotional", True), ("service", True), ("basis", "explicit"))
}


def copy_beside_facts(customers: Iterable[Customer]) -> None:
    """As computing their facts would, which are left as they are."""
    customers = list(customers)
    with connection.cursor() as cursor:
        for source in sources():
            theirs = ", ".join(f"{column} = theirs.{column}" for column in source.columns)
            cursor.execute(
                f"""
                WITH chosen AS (SELECT id, now() AS at FROM customers_customer WHERE id = ANY(%s))
                UPDATE customers_customerfacts facts SET {theirs}
                FROM ({source.select}) theirs WHERE theirs.customer_id = facts.customer_id
                """,
                [[customer.pk for customer in customers]],
            )
    copy_of_new(customers)


def copy_of_new(customers: Iterable[Customer]) -> None:
    """The same for people just made: nobody keeps anything of them yet."""
    copies = ", ".join(f"{column} = {source}" for column, source in COPIES.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_customerfacts SET {copies}
            FROM customers_customer customer
            LEFT JOIN customers_consentstate consent ON consent.customer_id = customer.id
            WHERE customers_customerfacts.customer_id = customer.id AND customer.id = ANY(%s)
            """,
            [[customer.pk for customer in customers]],
        )


class CustomerFactory(DjangoModelFactory[Customer]):
    class Meta:
        model = Customer
        skip_postgeneration_save = True

    first_name = factory.Sequence(lambda n: f"Asha{n}")
    last_name = "Sharma"
    phone = factory.Sequence(lambda n: f"+9198{n % 100_000_000:08}")
    email = factory.Sequence(lambda n: f"asha{n}@example.com")
    language = "en"

    @factory.post_generation
    def consent(
        self: Customer, create: bool, extracted: bool | Mapping[str, Any] | None, **_: Any
    ) -> None:
        if not create:
            return
        if extracted is False:
            values: dict[str, Any] = {}
        else:
            values = EVERYTHING | dict(extracted if isinstance(extracted, Mapping) else {})
        ConsentState.objects.create(customer=self, **values)

    @factory.post_generation
    def facts(self: Customer, create: bool, extracted: Mapping[str, Any] | None, **_: Any) -> None:
        if not create:
            return
        CustomerFacts.objects.create(customer=self, **(extracted or {}))
        copy_of_new([self])


def make_people(count: int, **values: Any) -> list[Customer]:
    """As many customers who consent to everything, in a statement a table."""
    people = Customer.objects.bulk_create(CustomerFactory.build_batch(count, **values))
    ConsentState.objects.bulk_create(ConsentState(customer=one, **EVERYTHING) for one in people)
    CustomerFacts.objects.bulk_create(CustomerFacts(customer=one) for one in people)
    copy_of_new(people)
    return people


class ServiceCategoryFactory(DjangoModelFactory[ServiceCategory]):
    class Meta:
        model = ServiceCategory

    external_id = factory.Sequence(lambda n: f"category-{n}")
    name = factory.Sequence(lambda n: f"Category {n}")


class ServiceFactory(DjangoModelFactory[Service]):
    class Meta:
        model = Service

    external_id = factory.Sequence(lambda n: f"service-{n}")
    category = factory.SubFactory(ServiceCategoryFactory)
    name = factory.Sequence(lambda n: f"Service {n}")
    price = Decimal("500.00")


class VisitFactory(DjangoModelFactory[Visit]):
    class Meta:
        model = Visit

    customer = factory.SubFactory(CustomerFactory)
    branch = factory.SubFactory(BranchFactory)
    visited_at = factory.LazyFunction(timezone.now)


class PurchaseFactory(DjangoModelFactory[Purchase]):
    """A bill of `lines` lines (default one) of `total` together."""

    class Meta:
        model = Purchase
        skip_postgeneration_save = True

    customer = factory.SubFactory(CustomerFactory)
    branch = factory.SubFactory(BranchFactory)
    total = Decimal("1000.00")
    subtotal = factory.SelfAttribute("total")
    purchased_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def lines(self: Purchase, create: bool, extracted: int | None, **line: Any) -> None:
        count = 1 if extracted is None else extracted
        for _ in range(count):
            PurchaseLineFactory(
                purchase=self,
                **{"unit_price": self.total / count, "amount": self.total / count} | line,
            )


class PurchaseLineFactory(DjangoModelFactory[PurchaseLine]):
    class Meta:
        model = PurchaseLine

    purchase = factory.SubFactory(PurchaseFactory, lines=0)
    service = factory.SubFactory(ServiceFactory)
    category = factory.SelfAttribute("service.category")
    unit_price = Decimal("500.00")
    amount = factory.SelfAttribute("unit_price")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    customer = factory.SubFactory(CustomerFactory)
    plan = "Gold"
    starts_on = factory.LazyFunction(lambda: timezone.now().date() - dt.timedelta(days=30))
    expires_on = factory.LazyFunction(lambda: timezone.now().date() + dt.timedelta(days=335))


class PackageFactory(DjangoModelFactory[Package]):
    class Meta:
        model = Package

    customer = factory.SubFactory(CustomerFactory)
    name = "6 facials"
    sessions_total = 6
    sessions_used = 2
    starts_on = factory.LazyFunction(lambda: timezone.now().date() - dt.timedelta(days=30))
    expires_on = factory.LazyFunction(lambda: timezone.now().date() + dt.timedelta(days=150))


def insert_people(tenant_id, branch: Branch, count: int) -> None:
    """Consenting customers with phones that the sandbox delivers to."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH made AS (
                INSERT INTO customers_customer (tenant_id, first_name, last_name, phone, email,
                    whatsapp_id, gender, language, preferred_channel, home_branch_id, tags,
                    attributes, source, status, updated_at)
                SELECT %(tenant)s, 'Asha' || n, '', '+9190' || lpad((n * 10 + 1)::text, 8, '0'),
                       '', '', '', 'en', 'whatsapp', %(branch)s, '{}', '{}', 'staff', 'active',
                       now()
                FROM generate_series(1, %(count)s) AS n RETURNING id
            )
            INSERT INTO customers_consentstate (tenant_id, customer_id, whatsapp_promotional,
                whatsapp_service, whatsapp_basis, sms_promotional, sms_service, sms_basis,
                email_promotional, email_service, email_basis, is_dnd, marketing_opted_out,
                opt_out_source, updated_at)
            SELECT %(tenant)s, id, true, true, 'explicit', false, false, '', false, false, '',
                   false, false, '', now() FROM made
            """,
            {"tenant": tenant_id, "branch": branch.pk, "count": count},
        )
