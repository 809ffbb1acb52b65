"""Mails as they are written: what all of a version's readers get, and what is each one's own.

A mailing's mails differ in a few words only. Who sends them works on the words in common once,
and for each person on the few that are hers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from marketing.content.markup import Fill, Parts, Value

# A number is a gap, which the mail's value with this index fills.
Text = tuple[str | int, ...]


@dataclass(frozen=True, eq=False)
class MailLayout:
    """What mails have in common: one language's texts, with gaps. The same only as itself."""

    language: str
    subject: Text
    body: Text
    html: Text


class Mail(NamedTuple):
    """One person's mail."""

    layout: MailLayout
    values: tuple[str, ...]

    @property
    def language(self) -> str:
        return self.layout.language

    @property
    def subject(self) -> str:
        return fill(self.layout.subject, self.values)

    @property
    def body(self) -> str:
        return fill(self.layout.body, self.values)

    @property
    def html(self) -> str:
        return fill(self.layout.html, self.values)


@dataclass(frozen=True)
class MailForm:
    """The mail of one version in one language, ready to be filled in for anybody."""

    language: str
    subject: Parts
    body: Parts
    html: Parts

    def fill(self, values: Mapping[str, Value]) -> Mail:
        """Raises `MarkupError` where the values do not suit an expression."""
        layout, fills = self._compiled
        return Mail(layout, tuple([write(values) for write in fills]))

    @cached_property
    def _compiled(self) -> tuple[MailLayout, tuple[Fill, ...]]:
        """The layout, and what writes the value of each of its gaps."""
        indexes: dict[Fill, int] = {}

        def text(parts: Parts) -> Text:
            return tuple(
                part if isinstance(part, str) else indexes.setdefault(part, len(indexes))
                for part in parts
            )

        layout = MailLayout(self.language, text(self.subject), text(self.body), text(self.html))
        return layout, tuple(indexes)


def fill(text: Text, values: tuple[str, ...]) -> str:
    """The text with its gaps filled."""
    return "".join([part if isinstance(part, str) else values[part] for part in text])
