"""SMS counts against the golden vectors and against another implementation."""

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from marketing.content import rules


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 151 + "€" + "y" * 30, 2),
        ("न" * 70, 1),
        ("न" * 71, 2),
        ("न" * 134, 2),
        ("न" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
    ],
)
def test_golden_vectors(text, segments):
    assert rules.count_sms(text).segments == segments


def test_units_and_encoding():
    assert rules.count_sms("Rs. 500 {off}") == rules.SmsCount("GSM-7", 15, 1)
    assert rules.count_sms("₹500 😀") == rules.SmsCount("UCS-2", 7, 1)


# ESC is a control code, which the other implementation takes for text.
@given(st.text(st.sampled_from("aZ9 €{}~\nन₹é😀…"), min_size=1, max_size=400))
def test_agrees_with_another_implementation(text):
    count = rules.count_sms(text)
    assert count.segments == len(smsutil.split(text).parts)
    assert (count.encoding == "GSM-7") == smsutil.is_valid_gsm(text)


@given(st.characters(codec="utf-8", exclude_characters="\x1b"))
def test_every_character_is_classed_as_by_another_implementation(character):
    assert (rules.count_sms(character).encoding == "GSM-7") == smsutil.is_valid_gsm(character)


def test_suggests_plain_characters():
    suggestion = rules.suggest_gsm("Pay ₹500 — “today”…")
    assert suggestion == rules.GsmSuggestion(
        'Pay Rs. 500 - "today"...', ("₹", "—", "“", "”", "…"), fits=True
    )
    assert rules.count_sms(suggestion.text).encoding == "GSM-7"


def test_suggests_nothing_where_nothing_helps():
    assert rules.suggest_gsm("Pay Rs. 500") is None
    assert rules.suggest_gsm("नमस्ते") is None
    assert rules.suggest_gsm("नमस्ते ₹500").fits is False


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Diwali Offer!", "diwali_offer_v1"),
        ("दीवाली", "template_v1"),
        ("a" * 200, f"{'a' * 100}_v1"),
    ],
)
def test_names_for_whatsapp(name, expected):
    made = rules.whatsapp_name(name, suffix="v1")
    assert made == expected
    assert rules.is_whatsapp_name(made)


@pytest.mark.parametrize("name", ["", "Diwali", "diwali-offer", "d" * 513])
def test_refuses_names_meta_would_refuse(name):
    assert not rules.is_whatsapp_name(name)
