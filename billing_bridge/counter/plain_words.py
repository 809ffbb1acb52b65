"""What the API says of a value that is out of bounds, as people at a counter say it."""

import re
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext_lazy
from rest_framework.serializers import CharField, DecimalField, Field, IntegerField

from marketing.core.plain_words import limit_text
from marketing.core.sentences import sentence

TOO_LARGE = gettext_lazy("This number is too large.")
MISSING = gettext_lazy("It is missing.")
# The framework's messages, whose names in braces are limits, and ours.
SAID = (
    (IntegerField.default_error_messages["invalid"], gettext_lazy("A whole number, please.")),
    (IntegerField.default_error_messages["max_string_length"], TOO_LARGE),
    (DecimalField.default_error_messages["invalid"], gettext_lazy("A number, please.")),
    (DecimalField.default_error_messages["max_string_length"], TOO_LARGE),
    (DecimalField.default_error_messages["max_digits"], TOO_LARGE),
    (DecimalField.default_error_messages["max_whole_digits"], TOO_LARGE),
    (
        DecimalField.default_error_messages["max_decimal_places"],
        gettext_lazy("At most %(limit)s digits after the point, please."),
    ),
    (
        IntegerField.default_error_messages["min_value"],
        gettext_lazy("At least %(limit)s, please."),
    ),
    (
        IntegerField.default_error_messages["max_value"],
        gettext_lazy("At most %(limit)s, please."),
    ),
    (
        CharField.default_error_messages["max_length"],
        gettext_lazy("At most %(limit)s characters, please."),
    ),
    (CharField.default_error_messages["blank"], MISSING),
    (Field.default_error_messages["required"], MISSING),
    (Field.default_error_messages["null"], MISSING),
)


def plain(text: str) -> str:
    """The framework's message in our words, as a `Sentence`; any other as it is."""
    for theirs, ours in SAID:
        pattern = re.sub(r"\\\{\w+\\\}", "(.+)", re.escape(str(theirs)))
        if found := re.fullmatch(pattern, text):
            limit = _number(found[1]) if found.groups() else ""
            return sentence(ours) % {"limit": limit} if limit else sentence(ours)
    return text


def _number(text: str) -> str:
    try:
        return str(limit_text(Decimal(text)))
    except InvalidOperation:
        return text
