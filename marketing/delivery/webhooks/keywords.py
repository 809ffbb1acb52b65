"""What a whole message means when it is one of the words that ask to stop, start or be helped.

Words of WhatsApp's business policy and of the United States' revocation rule, and their Hindi
and Bengali forms. Pure: no database.
"""

import unicodedata
from collections.abc import Mapping

STOP, START, HELP = "stop", "start", "help"
LONGEST = 50

_WORDS = {
    STOP: """
        stop, stopall, stop all, unsubscribe, unsub, cancel, end, quit, revoke, optout, opt out,
        stop promotions, stop offers, no more offers, stop messages, stop please, please stop,
        remove me,
        बंद, बन्द, बंद करो, बंद करें, बंद कर दो, बन्द करो, बन्द करें, रोको, रोकें, रोक दो, स्टॉप,
        बंद कीजिए, बंद कर दीजिए, रोकिए, रोक दीजिए, स्टाप, ऑफ़र बंद करें, ऑफर बंद करें,
        मत भेजो, मत भेजें, मत भेजिए, मैसेज बंद करो, band karo, mat bhejo,
        বন্ধ, বন্ধ করো, বন্ধ করুন, বন্ধ কর, বন্ধ করে দিন, থামুন, থামাও, থামান, স্টপ, স্টপ করুন,
        অফার বন্ধ করুন, পাঠাবেন না, bondho koro
    """,
    START: """
        start, unstop, subscribe, resume, optin, opt in, start promotions,
        शुरू, शुरु, शुरू करो, शुरू करें, शुरु करो, शुरु करें, शुरू कीजिए, चालू, चालू करो, चालू करें,
        स्टार्ट,
        shuru, shuru karo,
        শুরু, শুরু করো, শুরু করুন, চালু, চালু করো, চালু করুন, স্টার্ট
    """,
    HELP: """
        help, info, help me, हेल्प, मदद, सहायता, जानकारी, madad,
        হেল্প, সাহায্য, সহায়তা, তথ্য
    """,
}


def normalize(text: str) -> str:
    """Letters, their marks and digits in lower case, with single spaces; the rest is dropped.

    Digits of every script are those of ours. Punctuation, emoji, zero-width joiners and variation
    selectors say nothing about a word.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal()
        else letter if unicodedata.category(letter)[0] in "LN" or _is_vowel_sign(letter)
        # What joins or selects vanishes, what separates words becomes a space.
        else "" if unicodedata.category(letter) in ("Cf", "Mn", "Me") else " "
        for letter in plain
    )  # fmt: skip
    return unicodedata.normalize("NFC", " ".join(kept.split()))


def _is_vowel_sign(letter: str) -> bool:
    """A mark that belongs to a word, unlike the variation selectors behind emoji."""
    return unicodedata.category(letter) in ("Mn", "Mc") and not "\ufe00" <= letter <= "\ufe0f"


MEANINGS: Mapping[str, str] = {
    normalize(word): keyword for keyword, words in _WORDS.items() for word in words.split(",")
}


def keyword_of(text: str, extra: Mapping[str, str]) -> str:
    """What the message asks for, "" when it is not a keyword.

    `extra` maps the chain's own words, normalised, to their meanings; none of them takes a
    word of ours away.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return ""
    word = normalize(text)
    return MEANINGS.get(word) or MEANINGS.get(word.replace(" ", "")) or extra.get(word, "")
