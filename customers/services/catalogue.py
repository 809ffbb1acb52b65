"""Services and their categories: reference data that the billing system owns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Service, ServiceCategory
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed


@transaction.atomic
def put_categories(*, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> list[ServiceCategory]:
    """Make or rename categories by `external_id`; those not named stay as they are."""
    _refuse_repeats(rows, "categories")
    return ServiceCategory.objects.bulk_create(
        (ServiceCategory(**row) for row in rows),
        update_conflicts=True,
        unique_fields=["tenant", "external_id"],
        update_fields=["name"],
    )


@transaction.atomic
def put_services(*, actor: Actor, rows: Sequence[Mapping[str, Any]]) -> list[Service]:
    """Make or change services by `external_id`; those not named stay as they are.

    `category` of a row is the external id of a category that stands already. A row that does not
    name `tax_rate` leaves it as it is; None takes it away.
    """
    _refuse_repeats(rows, "services")
    named = ServiceCategory.objects.filter(external_id__in={row["category"] for row in rows})
    categories = {category.external_id: category for category in named}
    unknown = {
        f"services.{index}.categoryExternalId": [_("There is no such category.")]
        for index, row in enumerate(rows)
        if row["category"] not in categories
    }
    if unknown:
        raise ValidationFailed(fields=unknown)
    unsaid = [row["external_id"] for row in rows if "tax_rate" not in row]
    rates = dict(
        Service.objects.filter(external_id__in=unsaid)
        .select_for_update()
        .order_by("pk")
        .values_list("external_id", "tax_rate")
    )
    return Service.objects.bulk_create(
        (
            Service(
                **{
                    "tax_rate": rates.get(row["external_id"]),
                    **row,
                    "category": categories[row["category"]],
                }
            )
            for row in rows
        ),
        update_conflicts=True,
        unique_fields=["tenant", "external_id"],
        update_fields=["category", "name", "price", "tax_rate", "duration_minutes", "is_active"],
    )


def _refuse_repeats(rows: Sequence[Mapping[str, Any]], name: str) -> None:
    counts = Counter(row["external_id"] for row in rows)
    repeated = {
        f"{name}.{index}.externalId": [_("This id stands twice in the list.")]
        for index, row in enumerate(rows)
        if counts[row["external_id"]] > 1
    }
    if repeated:
        raise ValidationFailed(fields=repeated)
