"""How an occasion's words become the contents of a template."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marketing.policy.rules import PROMOTIONAL, purpose_of

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
UNSUBSCRIBE = {"en": "Unsubscribe", "hi": "ये ई-मेल बंद करें"}
STOP = {"en": "Reply STOP to stop these messages", "hi": "ये संदेश बंद करने के लिए STOP लिखें"}


@dataclass(frozen=True)
class Occasion:
    """One occasion in every channel and language; `heading` and `chat` serve WhatsApp and e-mail.

    An SMS ends with the sender's name, as the DLT register wants it, and takes `segments` parts
    when it is filled in with the sample values. `needs` are merge fields without which the
    message would say nothing: who has no value for one of them does not get it.
    """

    key: str
    name: str
    category: str
    template_type: str
    heading: Texts
    subject: Texts
    preheader: Texts
    chat: Texts
    sms: Texts
    segments: Mapping[str, int]
    trigger_type: str = ""
    buttons: Texts = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def contents(self, channel: str) -> dict[str, dict[str, Any]]:
        """What `create_template` takes."""
        words = self.sms if channel == "sms" else self.chat
        make = {"whatsapp": self._whatsapp, "sms": self._sms, "email": self._email}[channel]
        return {language: make(language) for language in words}

    def _whatsapp(self, language: str) -> dict[str, Any]:
        parts: dict[str, Any] = {
            "header": self.heading[language],
            "body": _filled(self.chat[language], language),
        }
        if self.template_type == "promotional":
            parts["footer"] = STOP[language]
        if language in self.buttons:
            parts["buttons"] = [{"type": "quick_reply", "text": self.buttons[language]}]
        return parts

    def _sms(self, language: str) -> dict[str, Any]:
        return {"body": _filled(f"{self.sms[language]} - @salon", language)}

    def _email(self, language: str) -> dict[str, Any]:
        end = "\n\n@salon"
        if purpose_of(self.template_type, self.trigger_type) != PROMOTIONAL:
            # An offer gets its way out by itself.
            end += f"\n{UNSUBSCRIBE[language]}: {{{{ unsubscribe_url }}}}"
        return {
            "subject": _filled(self.subject[language], language),
            "preheader": _filled(self.preheader[language], language),
            "header": self.heading[language],
            "body": _filled(self.chat[language] + end, language),
        }


def _filled(text: str, language: str) -> str:
    for name, texts in FIELDS.items():
        if name in text:
            text = text.replace(name, texts[language])
    return text
