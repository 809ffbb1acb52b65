"""Addresses in what somebody wrote or noted about a customer."""

import re

from customers.rules import mask_email
from marketing.core.logs import mask_phone

# No phone number that is written with its area is shorter.
SHORTEST_PHONE = 8
PHONE = re.compile(rf"\+?\d(?:[\s().\-/]{{0,3}}\d){{{SHORTEST_PHONE - 1},}}")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
NOT_DIALLED = re.compile(r"[^\d+]")


def mask_addresses(text: str) -> str:
    """`text` with every phone and e-mail address in it masked, in digits of any script.

    Long numbers that are none are masked as well: nobody can tell them apart.
    """
    text = EMAIL.sub(lambda found: mask_email(found.group()), text)
    return PHONE.sub(lambda found: mask_phone(NOT_DIALLED.sub("", found.group())), text)
