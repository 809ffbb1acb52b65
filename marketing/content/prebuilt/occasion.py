"""How an occasion's words become the contents of a template.

The words are in `occasions.toml`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Texts = Mapping[str, str]

# What stands for a merge field in the words, with what it says of somebody we know nothing of.
FIELDS: Mapping[str, Texts] = {
    "@name": {
        "en": '{{ customer_name | default: "there" }}',
        "hi": '{{ customer_name | default: "जी" }}',
    },
    "@guest": {
        "en": '{{ customer_name | default: "dear guest" }}',
        "hi": '{{ customer_name | default: "प्रिय ग्राहक" }}',
        "bn": '{{ customer_name | default: "প্রিয় অতিথি" }}',
    },
    "@salon": dict.fromkeys(("en", "hi", "bn"), "{{ salon_name }}"),
    "@branch": {
        "en": '{{ branch_name | default: "our salon" }}',
        "hi": '{{ branch_name | default: "हमारे सैलून" }}',
    },
    "@service": {
        "en": '{{ favourite_service | default: "favourite service" }}',
        "hi": '{{ favourite_service | default: "मनपसंद सेवा" }}',
    },
}
CALL = {"en": "Call us", "hi": "हमें फ़ोन करें"}
STOP = {"en": "Reply STOP to stop these messages", "hi": "ये संदेश बंद करने के लिए STOP लिखें"}


@dataclass(frozen=True)
class Contact:
    """Where a chain's customers book: its website, and the number of a branch, in E.164, which
    stands in where a customer's own has none. Either may be empty."""

    website: str = ""
    phone: str = ""


NOWHERE = Contact()


@dataclass(frozen=True)
class Occasion:
    """One occasion in every channel and language.

    `words` are, by language: `heading` and `chat` for WhatsApp and e-mail, `subject` and
    `preheader` for e-mail, `sms` with the `sms_parts` that it takes when it is filled in with the
    sample values, and for an offer what its button says (`book`). Where a channel's words are
    missing, the message has no such language. An SMS ends with the sender's name, as the DLT
    register wants it. `needs` are merge fields without which the message would say nothing: who
    has no value for one of them does not get it.
    """

    key: str
    name: str
    category: str
    template_type: str
    words: Mapping[str, Mapping[str, Any]]
    trigger_type: str = ""
    needs: Sequence[str] = ()

    def contents(self, channel: str, contact: Contact = NOWHERE) -> dict[str, dict[str, Any]]:
        """What `create_template` takes; an e-mail's button leads to the contact."""
        part = "sms" if channel == "sms" else "chat"
        languages = [language for language, words in self.words.items() if part in words]
        if channel == "email":
            return {language: self._email(language, contact) for language in languages}
        make = self._sms if channel == "sms" else self._whatsapp
        return {language: make(language) for language in languages}

    @property
    def segments(self) -> dict[str, int]:
        """How many parts the SMS takes, by language."""
        return {code: words["sms_parts"] for code, words in self.words.items() if "sms" in words}

    def _whatsapp(self, language: str) -> dict[str, Any]:
        words = self.words[language]
        parts: dict[str, Any] = {
            "header": words["heading"],
            "body": _filled(words["chat"], language),
        }
        if self.template_type == "promotional":
            parts["footer"] = STOP[language]
        if "book" in words:
            parts["buttons"] = [{"type": "quick_reply", "text": words["book"]}]
        return parts

    def _sms(self, language: str) -> dict[str, Any]:
        return {"body": _filled(f"{self.words[language]['sms']} - @salon", language)}

    def _email(self, language: str, contact: Contact) -> dict[str, Any]:
        words = self.words[language]
        parts: dict[str, Any] = {
            "subject": _filled(words["subject"], language),
            "preheader": _filled(words["preheader"], language),
            "header": words["heading"],
            "body": _filled(words["chat"] + "\n\n@salon", language),
        }
        if button := self._email_button(language, contact):
            parts["buttons"] = [button]
        return parts

    def _email_button(self, language: str, contact: Contact) -> dict[str, str] | None:
        """To book on the website, else to call: the customer's own branch where it has a number."""
        if contact.website and "book" in self.words[language]:
            text = self.words[language]["book"]
            return {"type": "url", "text": text, "value": contact.website}
        if not contact.phone:
            return None
        number = f'{{{{ branch_phone | default: "{contact.phone}" }}}}'
        return {"type": "phone", "text": CALL[language], "value": number}


def _filled(text: str, language: str) -> str:
    for name, texts in FIELDS.items():
        if name in text:
            text = text.replace(name, texts[language])
    return text
