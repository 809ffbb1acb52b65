"""The links in a message's words, and the form in which the message leaves: each link replaced
by our own short one, `<PUBLIC_BASE_URL>/r/{{ link_1 }}`, whose code the sender fills in."""

import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from customers.models import Channel
from marketing.content import markup, merge_fields
from marketing.content.models import TemplateVersion
from marketing.content.rendering import CompiledVersion, compile_contents, compile_version
from marketing.policy import selectors as policy

# Of what is filled in, only what follows the host: nobody's data decides where a link leads.
# `\x01` stands for an output, `\x00` for other code, after which a link's end is unsure.
_URL = re.compile(
    r"https?://(?>[^\s<>\"'/?#\x00\x01]+)(?!\x01)(?>(?:[/?#][^\s<>\"'\x00]*)?)(?!\x00)", re.I
)
_ANCHOR = re.compile(r"<a\b[^<>]*?\shref=\"([^\"]*)\"", re.I)
_CLOSING = ".,;:!?*_~।"

Shorten = Callable[[str], str]


@dataclass(frozen=True)
class SentForm:
    """A version as it leaves: link number n (from 1) is `links[n - 1]`, as its author wrote it.

    A link may hold merge fields behind its host.
    """

    compiled: CompiledVersion
    links: tuple[str, ...] = ()

    def numbers(self, language: str) -> dict[str, int]:
        """The placeholders for codes in this language's words, and their links' numbers."""
        return {
            name: int(name.removeprefix("link_"))
            for name in self.compiled.names(language)
            if merge_fields.LINK.fullmatch(name)
        }


def is_tracked(version: TemplateVersion) -> bool:
    """Whether the version's links are ours: the open chain's switch decides for e-mail.

    Where a vendor keeps a copy of the words, they stay as they were when it approved them.
    """
    if version.template.channel == Channel.EMAIL:
        return policy.is_tracked(Channel.EMAIL)
    return version.tracks_links


def short_links_at(channel: str) -> str:
    """Where the links of what is written now will lead; "" where they stay its author's own."""
    return settings.PUBLIC_BASE_URL if policy.is_tracked(channel) else ""


def compile_sent(version: TemplateVersion) -> SentForm:
    """The version as it is sent, ready for rendering; in the open tenant scope."""
    if not is_tracked(version):
        return SentForm(compile_version(version))
    return compile_tracked(version)


def compile_tracked(version: TemplateVersion) -> SentForm:
    """As `compile_sent`, for a version whose links are known to be tracked."""
    return _compile(
        version.template.channel,
        json.dumps(version.contents, sort_keys=True),
        tuple(version.tenant.languages),
        settings.PUBLIC_BASE_URL,
    )


@lru_cache(maxsize=512)
def _compile(channel: str, contents: str, languages: tuple[str, ...], base: str) -> SentForm:
    sent, links = with_short_links(channel, json.loads(contents), base)
    return SentForm(compile_contents(channel, sent, languages), links)


def with_short_links(
    channel: str, contents: Mapping[str, Mapping[str, Any]], base: str
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """The contents with each link replaced, and the links in order of first appearance.

    On WhatsApp the buttons' only: what else it approved cannot vary by person.
    """
    links: dict[str, int] = {}

    def short(link: str) -> str:
        number = links.setdefault(link, len(links) + 1)
        return f"{base}/r/{{{{ link_{number} }}}}"

    def replaced(language: Mapping[str, Any]) -> dict[str, Any]:
        parts = dict(language)
        if channel == Channel.WHATSAPP:
            parts["buttons"] = [
                {**button, "value": _in_text(button["value"], short)}
                if button["type"] == "url"
                else button
                for button in language.get("buttons", ())
            ]
            return parts
        parts["body"] = _in_text(parts["body"], short)
        if "buttons" in parts:
            parts["buttons"] = [
                {**button, "value": _in_text(button["value"], short)} for button in parts["buttons"]
            ]
        if "html" in parts:
            parts["html"] = _in_html(parts["html"], short)
        return parts

    return {code: replaced(language) for code, language in contents.items()}, tuple(links)


def written_links(contents: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Every link that readers could follow, and every picture, as their author wrote them."""
    found: dict[str, None] = {}

    def note(link: str) -> str:
        found[link] = None
        return ""

    for parts in contents.values():
        if image := parts.get("image"):
            note(image)
        for name in ("header", "body", "footer"):
            _in_text(parts.get(name, ""), note)
        for button in parts.get("buttons", ()):
            if button["type"] == "url":
                _in_text(button["value"], note)
        _in_html(parts.get("html", ""), note)
    return tuple(found)


def _in_text(source: str, short: Shorten) -> str:
    masked = _masked(source)
    spans = ((match.start(), _end(source, match)) for match in _URL.finditer(masked))
    return _replaced(source, ((start, end, source[start:end]) for start, end in spans), short)


def _in_html(source: str, short: Shorten) -> str:
    """Only where an anchor leads, not what it shows."""
    masked = _masked(source)
    spans = (match.span(1) for match in _ANCHOR.finditer(masked))
    return _replaced(
        source,
        (
            (start, end, html.unescape(source[start:end]))
            for start, end in spans
            if _URL.fullmatch(masked, start, end)
        ),
        short,
    )


def _masked(source: str) -> str:
    """The source with what stands in braces made unreadable, as long as before."""
    return "".join(
        ("\x00" if "{%" in text else "\x01") * len(text) if is_code else text
        for is_code, text in markup.split(source)
    )


def _end(source: str, match: re.Match[str]) -> int:
    """Where a link ends that a sentence may go on behind."""
    start, end = match.span()
    while match.string[end - 1] in _CLOSING or (
        source[end - 1] in ")]" and not _is_balanced(source[start:end])
    ):
        end -= 1
    return end


def _is_balanced(text: str) -> bool:
    return text.count("(") >= text.count(")") and text.count("[") >= text.count("]")


def _replaced(source: str, spans: Iterable[tuple[int, int, str]], short: Shorten) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, link in spans:
        pieces += [source[done:start], short(link)]
        done = end
    return "".join([*pieces, source[done:]])
