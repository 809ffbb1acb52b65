"""What is wrong with a line, in words; rows keep codes, so that everyone reads her own language."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.imports.limits import MAX_CELL

PROBLEMS = {
    "ambiguous": gettext_lazy(
        "Several customers have this phone or e-mail and none has this name; "
        "add their number of the other system."
    ),
    "cells": gettext_lazy("The line has more cells than the file has columns."),
    "choice": gettext_lazy("This is not one of the declared values."),
    "consent": gettext_lazy("Write yes or no for a consent."),
    "control": gettext_lazy("The line holds characters that are not text."),
    "date": gettext_lazy("This is not a date of the chosen kind."),
    "date_range": gettext_lazy("This date is before 1900 or still to come."),
    "email": gettext_lazy("This is not an e-mail address."),
    "excel_error": gettext_lazy("Excel could not work out this cell; write its value."),
    "gender": gettext_lazy("Write female, male or other."),
    "gone": gettext_lazy("This customer was erased or merged since the file was checked."),
    "id": gettext_lazy("There is no customer with this Parlour id."),
    "id_taken": gettext_lazy("Another customer has this number of the other system."),
    "language": gettext_lazy("This language is not one of the chain's."),
    "long": gettext_lazy("This text is too long."),
    "long_cell": gettext_lazy("A cell holds more than %(max)s characters."),
    "no_key": gettext_lazy(
        "Neither a phone, nor an e-mail, nor a number of the other system is given."
    ),
    "no_name": gettext_lazy("A new customer needs a name."),
    "number": gettext_lazy("This is not a number."),
    "other_branch": gettext_lazy("This customer belongs to a branch that is not yours."),
    "phone": gettext_lazy("No such phone number can exist."),
    "quotes": gettext_lazy("A quote is opened or closed in the wrong place."),
    "refused_email": gettext_lazy(
        "E-mail consent is left aside: whoever has this number or e-mail opted out before."
    ),
    "refused_sms": gettext_lazy(
        "SMS consent is left aside: whoever has this number or e-mail opted out before."
    ),
    "refused_whatsapp": gettext_lazy(
        "WhatsApp consent is left aside: whoever has this number or e-mail opted out before."
    ),
    "rounded": gettext_lazy(
        "Excel has rounded this number. Format the column as text or number and export again."
    ),
    "channel": gettext_lazy("Choose WhatsApp, SMS or e-mail."),
    "tags": gettext_lazy("At most 50 tags of at most 50 characters each."),
    "unknown_branch": gettext_lazy("There is no such branch, or it is not yours."),
    "value": gettext_lazy("This value cannot be taken."),
    "yes_no": gettext_lazy("Write yes or no."),
}


def problem_text(problem: str) -> str:
    """A `code` or `code:header` as a sentence."""
    code, _colon, header = problem.partition(":")
    text = str(PROBLEMS[code])
    if code == "long_cell":
        text %= {"max": MAX_CELL}
    return _("%(column)s: %(problem)s") % {"column": header, "problem": text} if header else text


def problems_text(problems: Iterable[str]) -> str:
    return " ".join(map(problem_text, problems))
