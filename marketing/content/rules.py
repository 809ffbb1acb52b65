"""Limits and counts of message content: SMS encoding, WhatsApp's template limits, names.

Sources: 3GPP TS 23.038 for SMS; Meta's template components for WhatsApp.
"""

import re
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM_7 = _BASIC | _EXTENSION
_EXTENDED = re.compile(f"[{re.escape(''.join(_EXTENSION))}]")
_IS_GSM_7 = re.compile(f"[{re.escape(''.join(_GSM_7))}]*")
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")

_REPLACEMENTS = {
    "₹ ": "Rs. ",
    "₹": "Rs. ",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "–": "-",
    "—": "-",
    "…": "...",
    "\u00a0": " ",
    "\u200b": "",
    "\u200c": "",
    "\u200d": "",
    "`": "'",
    "•": "-",
}


@dataclass(frozen=True)
class SmsCount:
    """`units` are septets (GSM-7) or UTF-16 code units (UCS-2); a text costs its `segments`."""

    encoding: str
    units: int
    segments: int


def count_sms(text: str) -> SmsCount:
    """How a text goes out as SMS; an empty text takes one segment, as phones count it."""
    if _IS_GSM_7.fullmatch(text):
        return _count("GSM-7", text, set(_EXTENDED.findall(text)), single=160, part=153)
    return _count("UCS-2", text, set(_BEYOND_16_BITS.findall(text)), single=70, part=67)


def _count(encoding: str, text: str, wide: set[str], *, single: int, part: int) -> SmsCount:
    """Characters in `wide` take two units, which a segment border must not part."""
    units = len(text) + sum(map(text.count, wide))
    if units <= single:
        return SmsCount(encoding, units, 1)
    if not wide:
        return SmsCount(encoding, units, -(-units // part))
    segments, filled = 1, 0
    for character in text:
        size = 2 if character in wide else 1
        if filled + size > part:
            segments += 1
            filled = 0
        filled += size
    return SmsCount(encoding, units, segments)


@dataclass(frozen=True)
class GsmSuggestion:
    """The text with look-alikes that keep it GSM-7; `fits` when nothing else is in the way."""

    text: str
    replaced: tuple[str, ...]
    fits: bool


def suggest_gsm(text: str) -> GsmSuggestion | None:
    """A cheaper spelling of a text that a few typographic characters make UCS-2.

    None when the text is GSM-7 already, or when no character has a look-alike.
    """
    if _GSM_7.issuperset(text):
        return None
    replaced = tuple(sorted({c for c in text if c in _REPLACEMENTS}, key=text.index))
    if not replaced:
        return None
    for character, plain in _REPLACEMENTS.items():
        text = text.replace(character, plain)
    return GsmSuggestion(text, replaced, _GSM_7.issuperset(text))


MAX_SOURCE = 5_000
MAX_HTML = 100_000
MAX_SMS_SEGMENTS = 10
MAX_SUBJECT = 255
MAX_PREHEADER = 150
MAX_HEADING = 150
MAX_IMAGE_ALT = 200
EMAIL_BUTTONS = 2

WHATSAPP_HEADER = 60
WHATSAPP_BODY = 1024
WHATSAPP_FOOTER = 60
WHATSAPP_BUTTON_TEXT = 25
WHATSAPP_BUTTON_URL = 2000
WHATSAPP_PHONE = 20
WHATSAPP_BUTTONS = 10
_WHATSAPP_NAME = re.compile(r"[a-z0-9_]{1,512}")


def is_whatsapp_name(name: str) -> bool:
    """Whether Meta takes the name: lower-case letters, digits and underscores."""
    return bool(_WHATSAPP_NAME.fullmatch(name))


def whatsapp_name(name: str, *, suffix: str) -> str:
    """A template's name at Meta, such as `diwali_offer_v2`; `suffix` keeps it apart from others."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "template"
    return f"{plain[:100]}_{suffix}"
