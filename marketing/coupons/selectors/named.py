"""Whether the branches, services, categories and segments that an offer names are there."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from customers.models import Service, ServiceCategory
from marketing.core.errors import ValidationFailed
from marketing.core.models import Branch
from marketing.segments.models import Segment

_SELECTION: dict[str, type[Model]] = {
    "serviceIds": Service,
    "excludedServiceIds": Service,
    "categoryIds": ServiceCategory,
    "excludedCategoryIds": ServiceCategory,
}
_OFFER: dict[str, type[Model]] = _SELECTION | {
    "freeServiceId": Service,
    "branchIds": Branch,
    "excludedBranchIds": Branch,
    "segmentId": Segment,
    "segmentIds": Segment,
    "excludedSegmentIds": Segment,
}


def require_named(body: Mapping[str, Any]) -> None:
    """Raises `ValidationFailed` at each field of an offer's body that names what is not there.

    One statement for each kind of thing that is named.
    """
    asked: dict[type[Model], set[uuid.UUID]] = {}
    named = list(_named(body))
    for _path, model, pk in named:
        asked.setdefault(model, set()).add(pk)
    known = {
        model: set(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True))
        for model, ids in asked.items()
    }
    fields: dict[str, list[str]] = {}
    for path, model, pk in named:
        if pk not in known[model]:
            fields[path] = [_("There is no such thing: %(id)s.") % {"id": pk}]
    if fields:
        raise ValidationFailed(fields=fields)


def _named(body: Mapping[str, Any]) -> Iterator[tuple[str, type[Model], uuid.UUID]]:
    yield from _of(body, _OFFER, "")
    yield from _of(body.get("requires") or {}, _SELECTION, "requires.")
    yield from _of((body.get("buyGet") or {}).get("get") or {}, _SELECTION, "buyGet.get.")
    for place, part in enumerate((body.get("bundle") or {}).get("parts") or ()):
        yield from _of(part, _SELECTION, f"bundle.parts.{place}.")


def _of(
    body: Mapping[str, Any], models: Mapping[str, type[Model]], path: str
) -> Iterator[tuple[str, type[Model], uuid.UUID]]:
    for name, model in models.items():
        value = body.get(name)
        for pk in [value] if isinstance(value, str) else value or ():
            yield path + name, model, uuid.UUID(pk)
