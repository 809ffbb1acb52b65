"""A keyword is a whole message, whatever its case, punctuation, emoji or script."""

import pytest

from marketing.delivery.webhooks.keywords import keyword_of, normalize


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("STOP", "stop"),
        (" stop. ", "stop"),
        ("stop" + " \n" * 60, "stop"),
        ("ＳＴＯＰ", "stop"),
        ("Stop 🙏🏽", "stop"),
        ("❤️ stop", "stop"),
        ("*STOP*", "stop"),
        ("S.T.O.P", "stop"),
        ("opt-out", "stop"),
        ("बंद", "stop"),
        ("बंद करो।", "stop"),
        ("बन्द", "stop"),
        ("बंद कीजिए।", "stop"),
        ("ऑफ़र बंद करें", "stop"),
        ("स्टॉप", "stop"),
        ("বন্ধ", "stop"),
        ("বন্ধ করুন।", "stop"),
        ("থামুন", "stop"),
        ("Start", "start"),
        ("शुरू", "start"),
        ("শুরু", "start"),
        ("help?", "help"),
        ("मदद", "help"),
        ("সাহায্য", "help"),
        ("সহায়তা", "help"),
        ("Please stop sending me these", ""),
        ("I cannot stop laughing", ""),
        ("বন্ধু", ""),
        ("", ""),
        ("🙏", ""),
    ],
)
def test_meaning(text, meaning):
    assert keyword_of(text, {}) == meaning


def test_decomposed_letters_are_the_same_word():
    assert keyword_of("সহায\u09bcতা", {}) == keyword_of("সহা\u09dfতা", {}) == "help"


def test_own_words_add_and_never_take_away():
    assert keyword_of("Bas!", {"bas": "stop"}) == "stop"
    assert keyword_of("stop", {"stop": "help"}) == "stop"


@pytest.mark.parametrize("text", ["Stop 12", "stop १२", "stop ১২"])
def test_a_number_is_the_same_in_every_script(text):
    assert keyword_of(text, {normalize("STOP १२"): "stop"}) == "stop"
