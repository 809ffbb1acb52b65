"""Handing out customers as a file: scoped to the actor's branches, masked by role, audited."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from customers.exports import people
from customers.exports.csv_writing import write_csv
from customers.exports.xlsx_writing import write_xlsx
from customers.models import Customer
from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant, current_tenant_id, tenant_scope

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


@dataclass(frozen=True)
class Export:
    """`pieces` may be read once, after the request's own transaction too."""

    content_type: str
    pieces: Iterator[str | bytes]


def within_reach(actor: Actor, customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """Those of `customers` whom the actor may take away."""
    active = customers.filter(status=Customer.Status.ACTIVE)
    if actor.branch_ids is None:
        return active
    return active.filter(home_branch__in=actor.branch_ids)


def export_list(
    *, actor: Actor, customers: QuerySet[Customer], format: str, chosen_by: Mapping[str, Any]
) -> Export:
    """The active ones of `customers` at the actor's branches, as csv, xlsx or json.

    `chosen_by` is what the audit keeps of how they were chosen. Whoever may not export whole
    people gets masked phones and e-mail addresses.
    """
    actor.require("customer.export_list")
    require_format(format)
    reached = within_reach(actor, customers)
    is_masked = not actor.can("customer.export")
    count = reached.count()
    audit.record(
        actor,
        "customer.export_list",
        current_tenant(),
        {**chosen_by, "format": format, "count": count, "masked": is_masked},
    )
    columns = people.all_columns(is_masked=is_masked)
    return Export(CONTENT_TYPES[format], _pieces(current_tenant_id(), reached, columns, format))


def _pieces(
    tenant_id: Any, customers: QuerySet[Customer], columns: list[people.Column], format: str
) -> Iterator[str | bytes]:
    with tenant_scope(tenant_id):
        headings = {column.name: column.heading for column in columns}
        yield from write_file(format, headings, people.read_people(customers, columns))


def write_file(
    format: str, headings: Mapping[str, str], rows: Iterator[list[Any]]
) -> Iterator[str | bytes]:
    """A file of `CONTENT_TYPES`, written as its rows are read.

    `headings` are by the columns' names, which JSON has instead.
    """
    if format == "csv":
        yield from write_csv(headings.values(), rows)
    elif format == "xlsx":
        yield from write_xlsx(headings.values(), rows)
    else:
        yield from _write_json(list(headings), rows)


def require_format(format: str) -> None:
    """Raises `ValidationFailed` for what is none of `CONTENT_TYPES`."""
    if format not in CONTENT_TYPES:
        raise ValidationFailed(fields={"format": [_("Choose CSV, Excel or JSON.")]})


def _write_json(names: list[str], rows: Iterator[list[Any]]) -> Iterator[str]:
    before = "["
    for row in rows:
        known = {name: cell for name, cell in zip(names, row, strict=True) if cell != ""}
        yield f"{before}\n{json.dumps(known, ensure_ascii=False)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"
