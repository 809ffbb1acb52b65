"""What is answered to stop, start and help, in the languages of the customers."""

from marketing.delivery.webhooks.keywords import HELP, START, STOP

_TEXTS = {
    "en": {
        STOP: "You will get no more offers from {chain}. Write START to get them again.",
        START: "Welcome back! You will get offers from {chain} again. Write STOP to end them.",
        HELP: "{chain}: please call {phone}. Write STOP to get no more offers.",
    },
    "hi": {
        STOP: "अब आपको {chain} के ऑफ़र नहीं मिलेंगे। फिर से पाने के लिए START लिखें।",
        START: "फिर से स्वागत है! अब आपको {chain} के ऑफ़र मिलेंगे। रोकने के लिए STOP लिखें।",
        HELP: "{chain}: कृपया {phone} पर कॉल करें। ऑफ़र रोकने के लिए STOP लिखें।",
    },
    "bn": {
        STOP: "আপনি আর {chain}-এর অফার পাবেন না। আবার পেতে START লিখুন।",
        START: "আবার স্বাগতম! আপনি আবার {chain}-এর অফার পাবেন। বন্ধ করতে STOP লিখুন।",
        HELP: "{chain}: অনুগ্রহ করে {phone} নম্বরে ফোন করুন। অফার বন্ধ করতে STOP লিখুন।",
    },
}
_HELP_WITHOUT_PHONE = {
    "en": "{chain}: please ask at your salon. Write STOP to get no more offers.",
    "hi": "{chain}: कृपया अपने सैलून में पूछें। ऑफ़र रोकने के लिए STOP लिखें।",
    "bn": "{chain}: অনুগ্রহ করে আপনার স্যালনে জিজ্ঞাসা করুন। অফার বন্ধ করতে STOP লিখুন।",
}


def answer_to(keyword: str, *, language: str, chain: str, phone: str) -> str:
    """The answer in the language, or in English; `phone` is the branch's, it may be empty."""
    language = language if language in _TEXTS else "en"
    text = _TEXTS[language][keyword]
    if keyword == HELP and not phone:
        text = _HELP_WITHOUT_PHONE[language]
    return text.format(chain=chain, phone=phone)
