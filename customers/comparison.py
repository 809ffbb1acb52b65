"""Two customers side by side: where they differ, and whose value would stand."""

from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers import selectors
from customers.models import Channel, Customer
from customers.services.merge import ATTRIBUTE, KEEP, OTHER
from customers.templatetags.customers import language_name, phone


@dataclass(frozen=True)
class Row:
    """A field of both in words; `chosen` is "keep" or "other"."""

    name: str
    label: str | Promise
    mine: str
    hers: str

    @property
    def differs(self) -> bool:
        return self.mine != self.hers

    @property
    def chosen(self) -> str:
        return KEEP if self.mine else OTHER


LABELS: dict[str, str | Promise] = {
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "phone": _("Phone"),
    "email": _("E-mail"),
    "whatsapp_id": _("WhatsApp user id"),
    "birth_date": _("Birthday"),
    "anniversary": _("Anniversary"),
    "gender": _("Gender"),
    "language": _("Language of messages"),
    "preferred_channel": _("Preferred channel"),
    "home_branch_id": _("Home branch"),
    "location": _("Place"),
}


def rows(keep: Customer, other: Customer) -> list[Row]:
    """Every field that at least one of them has."""
    mine, hers = _words(keep), _words(other)
    labels = LABELS | {
        f"{ATTRIBUTE}{key}": label for key, label in selectors.attribute_labels().items()
    }
    names = [*LABELS, *sorted({*mine, *hers} - LABELS.keys())]
    return [
        Row(name, labels.get(name, name.removeprefix(ATTRIBUTE)), *pair)
        for name in names
        if any(pair := (mine.get(name, ""), hers.get(name, "")))
    ]


def _words(customer: Customer) -> dict[str, str]:
    def day(value: Any) -> str:
        return date_format(value, "j F Y") if value else ""

    place = (customer.latitude, customer.longitude)
    return {
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone": phone(customer.phone),
        "email": customer.email,
        "whatsapp_id": customer.whatsapp_id,
        "birth_date": day(customer.birth_date),
        "anniversary": day(customer.anniversary),
        "gender": customer.get_gender_display() if customer.gender else "",
        "language": language_name(customer.language),
        "preferred_channel": str(dict(Channel.choices).get(customer.preferred_channel, "")),
        "home_branch_id": customer.home_branch.name if customer.home_branch else "",
        "location": "" if None in place else f"{place[0]:.4f}, {place[1]:.4f}",
        **{f"{ATTRIBUTE}{key}": str(value) for key, value in customer.attributes.items()},
    }
