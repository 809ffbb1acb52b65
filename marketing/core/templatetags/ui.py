"""Tags the components are drawn with: icons, states, charts, avatars."""

import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

register = template.Library()

SPRITE = "vendor/tabler-icons.svg"
SVG = "{http://www.w3.org/2000/svg}"
AVATAR_TONES = 6
VIRAMA = 9  # its canonical combining class in every Indic script


@dataclass(frozen=True)
class Look:
    """How a state is shown; `tone` is neutral, info, primary, success, warning or danger."""

    label: str | Promise
    icon: str
    tone: str


LOOKS = {
    "draft": Look(_("Draft"), "pencil", "neutral"),
    "pending_approval": Look(_("Waiting for approval"), "hourglass", "warning"),
    "approved": Look(_("Approved"), "thumb-up", "success"),
    "rejected": Look(_("Rejected"), "circle-x", "danger"),
    "scheduled": Look(_("Scheduled"), "calendar-time", "info"),
    "sending": Look(_("Sending"), "send", "primary"),
    "paused": Look(_("Paused"), "player-pause", "warning"),
    "cancelled": Look(_("Cancelled"), "ban", "neutral"),
    "queued": Look(_("Queued"), "clock", "neutral"),
    "sent": Look(_("Sent"), "check", "success"),
    "delivered": Look(_("Delivered"), "checks", "success"),
    "read": Look(_("Read"), "eye", "primary"),
    "failed": Look(_("Failed"), "alert-circle", "danger"),
    "skipped": Look(_("Skipped"), "player-skip-forward", "neutral"),
    "held": Look(_("Held"), "hand-stop", "warning"),
    "unknown": Look(_("Unknown"), "help-circle", "warning"),
    "pending": Look(_("Pending"), "clock", "warning"),
    "active": Look(_("Active"), "circle-check", "success"),
    "inactive": Look(_("Inactive"), "circle-minus", "neutral"),
    "expired": Look(_("Expired"), "calendar-x", "neutral"),
    "opted_in": Look(_("Opted in"), "circle-check", "success"),
    "opted_out": Look(_("Opted out"), "bell-off", "danger"),
}


@lru_cache(maxsize=1)
def icon_names() -> frozenset[str]:
    """Every icon the vendored sprite holds."""
    path = finders.find(SPRITE)
    if path is None:
        raise FileNotFoundError(SPRITE)
    symbols = ElementTree.parse(Path(str(path))).getroot().iter(f"{SVG}symbol")  # noqa: S314  own file
    return frozenset(symbol.attrib["id"] for symbol in symbols)


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon of the sprite: silent beside text, an image with a name when `label` is given.

    `size` is sm, lg or xl. An unknown name raises ValueError, so that no page shows a hole.
    """
    if name not in icon_names():
        raise ValueError(f"No icon {name!r} in static/{SPRITE}; docs/ui.md says how to add one")
    return format_html(
        '<svg class="icon{}" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round" {}><use href="{}#{}"/></svg>',
        f" icon-{size}" if size else "",
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"'),
        static(SPRITE),
        name,
    )


@register.filter
def look(state: str) -> Look:
    """Label, icon and tone of a state; an unlisted one is neutral and named after itself."""
    return LOOKS.get(state) or Look(state.replace("_", " ").capitalize(), "circle-dot", "neutral")


@register.filter
def initials(name: str) -> str:
    """First letters of the first and last word, with their vowel signs in Indic scripts."""
    words = str(name).split()
    return "".join(_first_letter(word) for word in words[:1] + words[1:][-1:])


def _first_letter(word: str) -> str:
    length = 1
    while length < len(word) and _is_vowel_sign(word[length]):
        length += 1
    return word[:length].upper()


def _is_vowel_sign(character: str) -> bool:
    # A virama would join the next word's letter to this one, so it ends the first letter.
    is_mark = unicodedata.category(character).startswith("M")
    return is_mark and unicodedata.combining(character) != VIRAMA


@register.filter
def avatar_tone(name: str) -> int:
    """1 to 6, the same for the same name everywhere."""
    return zlib.crc32(str(name).encode()) % AVATAR_TONES + 1


@register.simple_tag
def sparkline(values: Sequence[float], label: str = "") -> SafeString:
    """A line of the values, oldest first, stretched to its box; empty for no values."""
    points = [float(value) for value in values]
    if not points:
        return SafeString("")
    if len(points) == 1:
        points *= 2
    low, high = min(points), max(points)
    step = 100 / (len(points) - 1)
    line = " ".join(
        f"{index * step:.2f},{14 if high == low else 26 - (value - low) / (high - low) * 24:.2f}"
        for index, value in enumerate(points)
    )
    return format_html(
        '<svg class="sparkline" viewBox="0 0 100 28" preserveAspectRatio="none" {}>'
        '<polygon class="sparkline-area" points="0,28 {} 100,28"/>'
        '<polyline class="sparkline-line" fill="none" points="{}"/></svg>',
        format_html('role="img" aria-label="{}"', label)
        if label
        else SafeString('aria-hidden="true"'),
        line,
        line,
    )


@dataclass(frozen=True)
class Segment:
    """One part of a stacked bar; `x` and `width` are SVG percentages, `share` is 0 to 1."""

    label: str | Promise
    value: int
    fill: str
    x: str
    width: str
    share: float


@register.filter
def segments(parts: Mapping[str, int] | Iterable[Mapping[str, object]]) -> list[Segment]:
    """Parts laid end to end over the whole width, in the order given.

    Takes `{state: count}`, or an iterable of `{"label", "value", "fill"}` where fill is a state,
    a tone or 1 to 6. Parts of zero keep their place in the legend and have no width.
    """
    if isinstance(parts, Mapping):
        rows = [(look(state).label, int(count), state) for state, count in parts.items()]
    else:
        rows = [(str(p["label"]), int(str(p["value"])), str(p["fill"])) for p in parts]
    total = sum(value for _label, value, _fill in rows)
    laid, before = [], 0
    for label, value, fill in rows:
        share = value / total if total else 0.0
        start = before / total if total else 0.0
        laid.append(Segment(label, value, fill, f"{start:.4%}", f"{share:.4%}", share))
        before += value
    return laid
