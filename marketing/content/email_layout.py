"""What an e-mail looks like that was written in plain parts: laid out with MJML.

One column of at most 600 pixels, which phones show as wide as they are, with colours for dark
screens. The layout is made once for each version and language; what differs from person to person
stays a gap in it.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.html import escape as escape_text
from liquid import escape as escape_value
from mjml import mjml2html

from marketing.content.markup import Fill, Parts, Value, filling

WIDTH = 600
_PARAGRAPHS = re.compile(r"\n\s*\n")
_FONTS = "Arial, 'Noto Sans Devanagari', 'Nirmala UI', sans-serif"
_COLOURS = (
    ".words a { color: #7a2e4d; } .foot a { color: #52606d; }"
    " @media (prefers-color-scheme: dark) {"
    " body, .page { background: #17130f !important; }"
    " .card, .card > table { background: #241f1b !important; }"
    " .words p, .words a, .heading h1 { color: #f2ece6 !important; }"
    " .foot, .foot a { color: #b9afa5 !important; } }"
)
_CLOSING = ".,;:!?)।"


@dataclass(frozen=True)
class EmailButton:
    """A link that stands out: constant words, and the address or phone number it leads to."""

    text: str
    target: Parts
    is_phone: bool = False

    @property
    def link(self) -> Parts:
        return ("tel:", *self.target) if self.is_phone else self.target


@dataclass(frozen=True)
class EmailParts:
    """An e-mail as it was written; all but subject and body may be empty.

    `image` is an address, `image_alt` what stands in its place where pictures are not shown.
    """

    subject: Parts
    body: Parts
    preheader: Parts = ()
    heading: Parts = ()
    image: Parts = ()
    image_alt: Parts = ()
    buttons: Sequence[EmailButton] = ()


def as_text(email: EmailParts) -> Parts:
    """The text part: what the laid-out mail says, for programs that show no HTML."""
    text: Parts = (*email.heading, "\n\n", *email.body) if email.heading else email.body
    for number, button in enumerate(email.buttons):
        text = (*text, "\n" if number else "\n\n", f"{button.text}: ", *button.target)
    return text


def as_html(email: EmailParts, *, language: str) -> Parts:
    """The HTML part, a whole document."""
    return _Layout().compile(email, language)


def at_end(html: Parts, more: Parts) -> Parts:
    """The HTML with something more at the end of what it shows."""
    for index in reversed(range(len(html))):
        part = html[index]
        if isinstance(part, str) and "</body>" in part:
            before, after = part.rsplit("</body>", 1)
            return (*html[:index], before, *more, f"</body>{after}", *html[index + 1 :])
    return (*html, *more)


class _Layout:
    """Writes one mail's MJML with marks in its gaps, and puts the gaps back afterwards.

    MJML would not survive Liquid's signs, and need not see them.
    """

    def __init__(self) -> None:
        self._name = f"gap{secrets.token_hex(8)}n"
        self._marks: dict[tuple[Fill, bool], str] = {}

    def compile(self, email: EmailParts, language: str) -> Parts:
        html = mjml2html(self._mjml(email, language))
        written = [
            _Escaped(write).line if in_line else _Escaped(write).text
            for write, in_line in self._marks
        ]
        pieces = re.split(rf"{self._name}(\d+)e", html)
        return tuple(
            written[int(piece)] if index % 2 else piece
            for index, piece in enumerate(pieces)
            if piece
        )

    def _mjml(self, email: EmailParts, language: str) -> str:
        blocks = [
            self._image(email),
            self._heading(email.heading),
            *self._paragraphs(email.body),
            *map(self._button, email.buttons),
        ]
        # One more thing to fill in for each person is not worth a name that nobody sees.
        is_same_for_all = all(isinstance(part, str) for part in email.subject)
        title = f"<mj-title>{self._line(email.subject)}</mj-title>" if is_same_for_all else ""
        preview = f"<mj-preview>{self._words(email.preheader)}</mj-preview>"
        return (
            f'<mjml lang="{escape_text(language)}" dir="ltr"><mj-head>'
            f"{title}{preview if email.preheader else ''}"
            '<mj-raw><meta name="color-scheme" content="light dark">'
            '<meta name="supported-color-schemes" content="light dark"></mj-raw>'
            f'<mj-attributes><mj-all font-family="{_FONTS}" />'
            '<mj-text font-size="16px" line-height="24px" color="#1f2933" padding="8px 24px" />'
            "</mj-attributes>"
            f"<mj-style>{_COLOURS}</mj-style></mj-head>"
            f'<mj-body width="{WIDTH}px" background-color="#f4f1ee" css-class="page">'
            '<mj-section css-class="card" background-color="#ffffff" padding="24px 0">'
            f"<mj-column>{''.join(blocks)}</mj-column></mj-section></mj-body></mjml>"
        )

    def _image(self, email: EmailParts) -> str:
        if not email.image:
            return ""
        source, alt = self._line(email.image), self._line(email.image_alt)
        return f'<mj-image src="{source}" alt="{alt}" padding="0 0 16px" />'

    def _heading(self, heading: Parts) -> str:
        if not heading:
            return ""
        return (
            '<mj-text css-class="heading" font-size="24px" line-height="32px" font-weight="bold" '
            f'color="#7a2e4d"><h1 style="margin:0;font-size:24px;line-height:32px">'
            f"{self._words(heading)}</h1></mj-text>"
        )

    def _paragraphs(self, body: Parts) -> list[str]:
        text = self._marked(body, in_line=False)
        # An address in the text, or the gap that a whole one fills.
        own = self._marks.get((filling("unsubscribe_url"), False))
        is_link = re.compile(r"https?://[^\s<>\"]+" + (f"|{own}" if own else ""))
        return [
            '<mj-text css-class="words"><p style="margin:0">'
            f"{_linked(each.strip(), is_link)}</p></mj-text>"
            for each in _PARAGRAPHS.split(text)
            if each.strip()
        ]

    def _button(self, button: EmailButton) -> str:
        return (
            f'<mj-button href="{self._line(button.link)}" background-color="#7a2e4d" '
            'color="#ffffff" font-size="16px" font-weight="bold" border-radius="8px" '
            f'inner-padding="14px 28px" padding="16px 24px">{escape_text(button.text)}</mj-button>'
        )

    def _words(self, parts: Parts) -> str:
        return _lines(self._marked(parts, in_line=False))

    def _line(self, parts: Parts) -> str:
        """Parts as one line, fit for an attribute."""
        return escape_text(self._marked(parts, in_line=True))

    def _marked(self, parts: Parts, *, in_line: bool) -> str:
        """The parts with a mark for each gap, the same one for what writes the same."""
        return "".join(
            part
            if isinstance(part, str)
            else self._marks.setdefault((part, in_line), f"{self._name}{len(self._marks)}e")
            for part in parts
        )


def _linked(text: str, is_link: re.Pattern[str]) -> str:
    """A paragraph in HTML, with its addresses as links."""
    pieces: list[str] = []
    done = 0
    for match in is_link.finditer(text):
        end = match.start() + len(match[0].rstrip(_CLOSING))
        link = escape_text(text[match.start() : end])
        pieces += [_lines(text[done : match.start()]), f'<a href="{link}">{link}</a>']
        done = end
    return "".join([*pieces, _lines(text[done:])])


def _lines(text: str) -> str:
    return escape_text(text).replace("\n", "<br />")


@dataclass(frozen=True)
class _Escaped:
    """What writes a value of a text, for HTML."""

    write: Fill

    def text(self, values: Mapping[str, Value]) -> str:
        return self.line(values).replace("\n", "<br>")

    def line(self, values: Mapping[str, Value]) -> str:
        return str(escape_value(self.write(values)))
