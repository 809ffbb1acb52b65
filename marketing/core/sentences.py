"""Sentences that are kept, for somebody who reads them later in another language.

A module whose refusals are kept takes `gettext` from here.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.functional import Promise

Kept = str | Mapping[str, Any]


class Sentence(str):
    """The words in the language of now, and what they were made of."""

    __slots__ = ("msgid", "params")
    msgid: str
    params: Any

    def __new__(cls, msgid: str, params: Any = None) -> "Sentence":
        words = translation.gettext(msgid)
        self = super().__new__(cls, words if params is None else words % params)
        self.msgid, self.params = msgid, params
        return self

    def __mod__(self, params: Any, /) -> "Sentence":
        return Sentence(self.msgid, params)


def gettext(msgid: str) -> Sentence:
    return Sentence(msgid)


def sentence(lazy: str | Promise) -> Sentence:
    """What `gettext_lazy` made, as a sentence."""
    with translation.override(None):
        msgid = str(lazy)
    return Sentence(msgid)


def kept(words: str) -> Kept:
    """As JSON keeps it; words that are no `Sentence` as they are."""
    if not isinstance(words, Sentence):
        return words
    if words.params is None:
        return {"text": words.msgid}
    return {"text": words.msgid, "params": _plain(words.params)}


def said(words: Kept) -> str:
    """What was kept, in the language of now; as it was said where nothing else is known."""
    if isinstance(words, str):
        return translation.gettext(words) if words else ""
    params = words.get("params")
    return Sentence(str(words["text"]), None if params is None else _said(params))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Sentence):
        return kept(value)
    return value if isinstance(value, int | float) else str(value)


def _said(value: Any) -> Any:
    if isinstance(value, Mapping):
        is_sentence = "text" in value and value.keys() <= {"text", "params"}
        return said(value) if is_sentence else {name: _said(each) for name, each in value.items()}
    return value
