"""Refusals of a bill at the fields of the counter's page, in words."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_bridge.counter.plain_words import plain
from billing_bridge.counter.sheet import ON_THE_WIRE
from marketing.core.drf.errors import as_domain_error, as_travelled
from marketing.core.errors import DomainError

_LINE = re.compile(r"lines\.(\d+)\.(\w+)")
_COLUMNS = {wire: name for name, wire in ON_THE_WIRE.items()}
_FIELDS = {
    "customerId": "customer",
    "branchId": "branch",
    "points": "points",
    "referral": "referral",
    "codes": "codes",
    "invoiceId": "invoice",
}
_COLUMN_NAMES: Mapping[str, object] = {
    "service": gettext_lazy("Service"),
    "quantity": gettext_lazy("Quantity"),
    "price": gettext_lazy("Price"),
    "discount": gettext_lazy("Off by hand"),
    "tax": gettext_lazy("Tax %"),
}
_FIELD_NAMES: Mapping[str, object] = {
    "customer": gettext_lazy("Customer"),
    "branch": gettext_lazy("Branch"),
    "points": gettext_lazy("Points"),
    "referral": gettext_lazy("Friend's code"),
    "codes": gettext_lazy("Codes"),
    "invoice": gettext_lazy("Number of the bill"),
}
# How the page calls the fields of a line and those below the lines.
_INPUTS: Mapping[str, str] = {"quantity": "q", "price": "p", "discount": "d", "tax": "t"}
_TYPED = ("codes", "referral", "points")
# What to do on this page, where the refusal itself cannot know.
_WAYS_OUT: Mapping[str, object] = {
    "MARKETING_039": gettext_lazy("What is left stands beside it."),
    "MARKETING_503": gettext_lazy("Nothing was done: press the button once more."),
}


class Faults:
    """What is wrong, by place: `at_lines` by number of the row and column."""

    def __init__(self, error: DomainError) -> None:
        self.message = f"{error.message} {_WAYS_OUT.get(error.code, '')}".strip()
        self.at_lines: dict[int, dict[str, str]] = {}
        self.at_fields: dict[str, str] = {}
        self.others: list[str] = []
        for path, messages in error.fields.items():
            text = " ".join(plain(message) for message in messages)
            found = _LINE.match(as_travelled(path))
            if found:
                place, column = int(found[1]), _COLUMNS.get(_camel(found[2]), "service")
                self.at_lines.setdefault(place, {})[column] = text
            elif name := _FIELDS.get(as_travelled(path).partition(".")[0]):
                self.at_fields[name] = text
            else:
                self.others.append(text)

    @property
    def told(self) -> list[tuple[str, str]]:
        """For each fault its field on the page, empty where there is none, and a sentence that says
        where it is; never empty."""
        told = [
            (
                f"{_INPUTS[column]}{place + 1}" if column in _INPUTS else "",
                _("Line %(line)d, %(column)s: %(text)s")
                % {"line": place + 1, "column": _COLUMN_NAMES[column], "text": text},
            )
            for place, columns in self.at_lines.items()
            for column, text in columns.items()
        ]
        told += [
            (name if name in _TYPED else "", f"{_FIELD_NAMES[name]}: {text}")
            for name, text in self.at_fields.items()
        ]
        return told + [("", text) for text in self.others] or [("", self.message)]


def explained(error: Exception) -> Faults:
    """Raises the error again where it is no refusal."""
    domain = as_domain_error(error)
    if domain is None:
        raise error
    return Faults(domain)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)
