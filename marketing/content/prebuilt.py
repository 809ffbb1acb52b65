"""The words of the pre-built templates. Data only; `services.prebuilt` makes rows of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Prebuilt:
    """One occasion in every channel and language; `chat` serves WhatsApp and e-mail."""

    name: str
    category: str
    template_type: str
    subject: Texts
    chat: Texts
    sms: Texts
    trigger_type: str = ""
    button: Texts | None = None

    def contents(self, channel: str) -> dict[str, dict[str, Any]]:
        """What `create_template` takes."""
        make = {"whatsapp": self._whatsapp, "sms": self._sms, "email": self._email}[channel]
        return {language: make(language) for language in self.sms}

    def _whatsapp(self, language: str) -> dict[str, Any]:
        parts: dict[str, Any] = {"body": self.chat[language]}
        if self.template_type == "promotional":
            parts["footer"] = STOP[language]
        if self.button:
            parts["buttons"] = [{"type": "quick_reply", "text": self.button[language]}]
        return parts

    def _sms(self, language: str) -> dict[str, Any]:
        return {"body": self.sms[language]}

    def _email(self, language: str) -> dict[str, Any]:
        text = self.chat[language]
        paragraphs = "".join(f'<p style="{PARAGRAPH}">{each}</p>' for each in text.split("\n\n"))
        return {
            "subject": self.subject[language],
            "body": f"{text}\n\n{{{{ salon_name }}}}\n{UNSUBSCRIBE[language]}: {LINK}",
            "html": LAYOUT.format(
                paragraphs=paragraphs, salon="{{ salon_name }}", link=LINK, **MAIL_WORDS[language]
            ),
        }


STOP = {"en": "Reply STOP to stop these messages", "hi": "ये संदेश बंद करने के लिए STOP लिखें"}
UNSUBSCRIBE = {"en": "Unsubscribe", "hi": "ये ई-मेल बंद करें"}
LINK = "{{ unsubscribe_url }}"
MAIL_WORDS = {
    "en": {
        "why": "You receive this e-mail because you visit us.",
        "unsubscribe": UNSUBSCRIBE["en"],
    },
    "hi": {
        "why": "आपको यह ई-मेल इसलिए मिला है क्योंकि आप हमारे यहाँ आते हैं।",
        "unsubscribe": UNSUBSCRIBE["hi"],
    },
}
PARAGRAPH = "margin: 0 0 16px; font-size: 16px; line-height: 24px; color: #1f2933"
LAYOUT = (
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" '
    'style="background-color: #f4f1ee"><tbody><tr><td align="center" style="padding: 24px">'
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" '
    'style="max-width: 560px; background-color: #ffffff; font-family: Arial, sans-serif">'
    '<tbody><tr><td style="padding: 24px 32px; border-bottom: 1px solid #e4ded8">'
    '<strong style="font-size: 20px; color: #7a2e4d">{salon}</strong></td></tr>'
    '<tr><td style="padding: 32px 32px 16px">{paragraphs}</td></tr>'
    '<tr><td style="padding: 16px 32px 24px; font-size: 13px; line-height: 20px; color: #52606d">'
    '{why} <a href="{link}" style="color: #52606d">{unsubscribe}</a></td></tr></tbody></table>'
    "</td></tr></tbody></table>"
)

PREBUILT = (
    Prebuilt(
        name="Birthday wishes",
        category="birthday",
        template_type="trigger",
        trigger_type="birthday_wish",
        subject={
            "en": "Happy birthday, {{ customer_name }}!",
            "hi": "{{ customer_name }}, जन्मदिन की शुभकामनाएँ!",
        },
        chat={
            "en": "Hi {{ customer_name }}, everyone at {{ salon_name }} wishes you a wonderful "
            "birthday! 🎂\n\nCome and see us this month and let us treat you to something "
            "special. Reply to this message to book a time.",
            "hi": "नमस्ते {{ customer_name }}, {{ salon_name }} के पूरे परिवार की ओर से आपको "
            "जन्मदिन की ढेरों शुभकामनाएँ! 🎂\n\nइस महीने हमारे यहाँ आइए, आपके लिए कुछ ख़ास है। "
            "समय तय करने के लिए इसी संदेश का जवाब दें।",
        },
        sms={
            "en": "Happy birthday, {{ customer_name }}! Visit us this month for a birthday "
            "treat. - {{ salon_name }}",
            "hi": "{{ customer_name }}, जन्मदिन मुबारक! इस महीने आइए, आपके लिए तोहफ़ा है। "
            "- {{ salon_name }}",
        },
    ),
    Prebuilt(
        name="Festival greetings",
        category="festival",
        template_type="promotional",
        subject={
            "en": "Get ready for the festive season",
            "hi": "त्योहार के लिए तैयार हो जाइए",
        },
        chat={
            "en": "Hi {{ customer_name }}, the festive season is here, and we would love to get "
            'you ready for it. ✨\n\nBook early at {{ branch_name | default: "your salon" }}: '
            "the best hours fill up fast. Warm wishes from all of us!",
            "hi": "नमस्ते {{ customer_name }}, त्योहारों की रौनक आ गई है और हम आपको सजाने-सँवारने "
            'के लिए तैयार हैं। ✨\n\n{{ branch_name | default: "अपने सैलून" }} में पहले से समय ले '
            "लीजिए, अच्छे समय जल्दी भर जाते हैं। आपको और आपके परिवार को शुभकामनाएँ!",
        },
        sms={
            "en": "Festive greetings, {{ customer_name }}! Book your festive look early: good "
            "hours fill up fast. - {{ salon_name }}",
            "hi": "{{ customer_name }}, त्योहार की शुभकामनाएँ! सजने के लिए पहले से समय ले लें। "
            "- {{ salon_name }}",
        },
        button={"en": "Book a time", "hi": "समय बुक करें"},
    ),
    Prebuilt(
        name="We miss you",
        category="win-back",
        template_type="trigger",
        trigger_type="miss_you",
        subject={
            "en": "We miss you, {{ customer_name }}",
            "hi": "{{ customer_name }}, आपकी याद आती है",
        },
        chat={
            "en": "Hi {{ customer_name }}, it has been a while since we saw you at "
            "{{ salon_name }}, and we miss you.\n\nYour {{ favourite_service | default: "
            '"favourite service" }} is waiting for you. Reply to this message and we will find '
            "a time that suits you.",
            "hi": "नमस्ते {{ customer_name }}, {{ salon_name }} में आपको आए काफ़ी समय हो गया है, "
            "आपकी याद आती है।\n\nआपकी मनपसंद सेवा आपका इंतज़ार कर रही है। इस संदेश का जवाब दें, "
            "हम आपकी सुविधा का समय ढूँढ देंगे।",
        },
        sms={
            "en": "We miss you, {{ customer_name }}! It has been a while. Come and see us soon. "
            "- {{ salon_name }}",
            "hi": "{{ customer_name }}, आपकी याद आती है! जल्दी मिलने आइए। - {{ salon_name }}",
        },
    ),
    Prebuilt(
        name="Package about to expire",
        category="reminder",
        template_type="trigger",
        trigger_type="package_expiry",
        subject={
            "en": "Your package is valid until {{ package_expiry_date }}",
            "hi": "आपका पैकेज {{ package_expiry_date }} तक मान्य है",
        },
        chat={
            "en": "Hi {{ customer_name }}, your package is valid until "
            "{{ package_expiry_date }}. Sessions left: {{ package_sessions_left }}.\n\nReply to "
            "this message to book, so that none of them is lost.",
            "hi": "नमस्ते {{ customer_name }}, आपका पैकेज {{ package_expiry_date }} तक मान्य है। "
            "बचे हुए सेशन: {{ package_sessions_left }}।\n\nकोई सेशन बेकार न जाए, इसलिए इस संदेश का "
            "जवाब देकर समय तय कर लें।",
        },
        sms={
            "en": "Hi {{ customer_name }}, sessions left in your package: "
            "{{ package_sessions_left }}. Use them by {{ package_expiry_date }}. "
            "- {{ salon_name }}",
            "hi": "{{ customer_name }}, पैकेज में बचे सेशन: {{ package_sessions_left }}। "
            "{{ package_expiry_date }} तक ले लें। - {{ salon_name }}",
        },
    ),
    Prebuilt(
        name="How was your visit?",
        category="feedback",
        template_type="trigger",
        trigger_type="feedback_request",
        subject={
            "en": "How was your visit, {{ customer_name }}?",
            "hi": "{{ customer_name }}, आपका अनुभव कैसा रहा?",
        },
        chat={
            "en": 'Hi {{ customer_name }}, thank you for visiting {{ branch_name | default: "us" '
            "}}. How was it?\n\nReply with a number from 1 (poor) to 5 (excellent). We read "
            "every answer.",
            "hi": 'नमस्ते {{ customer_name }}, {{ branch_name | default: "हमारे सैलून" }} में आने '
            "के लिए धन्यवाद। आपका अनुभव कैसा रहा?\n\n1 (ख़राब) से 5 (बहुत बढ़िया) के बीच कोई अंक "
            "लिखकर जवाब दें। हम हर जवाब पढ़ते हैं।",
        },
        sms={
            "en": "{{ customer_name }}, how was your visit? Reply with 1 (poor) to 5 "
            "(excellent). Thank you! - {{ salon_name }}",
            "hi": "{{ customer_name }}, अनुभव कैसा रहा? 1 (ख़राब) से 5 (बढ़िया) लिखकर भेजें। "
            "- {{ salon_name }}",
        },
    ),
    Prebuilt(
        name="Flash sale",
        category="offer",
        template_type="promotional",
        subject={
            "en": "48 hours only: special prices for you",
            "hi": "सिर्फ़ 48 घंटे: आपके लिए ख़ास दाम",
        },
        chat={
            "en": "Hi {{ customer_name }}, for the next 48 hours only there are special prices "
            "on selected services at {{ salon_name }}. ⚡\n\nReply to this message to book "
            "before they are gone.",
            "hi": "नमस्ते {{ customer_name }}, सिर्फ़ अगले 48 घंटों के लिए {{ salon_name }} में चुनी "
            "हुई सेवाओं पर ख़ास दाम हैं। ⚡\n\nमौका निकलने से पहले इस संदेश का जवाब देकर बुक करें।",
        },
        sms={
            "en": "48 hours only, {{ customer_name }}: special prices on selected services. "
            "Book now! - {{ salon_name }}",
            "hi": "{{ customer_name }}, सिर्फ़ 48 घंटे: चुनी सेवाओं पर ख़ास दाम। जल्दी बुक करें! "
            "- {{ salon_name }}",
        },
        button={"en": "Book now", "hi": "अभी बुक करें"},
    ),
    Prebuilt(
        name="Thank you for your visit",
        category="thank-you",
        template_type="trigger",
        trigger_type="post_visit_thank_you",
        subject={
            "en": "Thank you for your visit",
            "hi": "हमारे यहाँ आने के लिए धन्यवाद",
        },
        chat={
            "en": "Hi {{ customer_name }}, thank you for visiting us at {{ branch_name | "
            'default: "our salon" }} today. We hope you love how you look!\n\nSee you again soon.',
            "hi": 'नमस्ते {{ customer_name }}, आज {{ branch_name | default: "हमारे सैलून" }} में आने '
            "के लिए धन्यवाद। उम्मीद है कि आपको अपना नया रूप पसंद आया होगा!\n\nफिर मिलेंगे।",
        },
        sms={
            "en": "Thank you for your visit, {{ customer_name }}. We hope you love how you "
            "look. See you soon! - {{ salon_name }}",
            "hi": "{{ customer_name }}, आने के लिए धन्यवाद। फिर ज़रूर आइए! - {{ salon_name }}",
        },
    ),
)
