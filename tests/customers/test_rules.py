"""Phones, e-mail, tags, attributes and search words."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from customers import rules
from customers.rules import AttributeType, SearchWord, search_words


@pytest.mark.parametrize(
    "text",
    ["98765 43210", "098765-43210", "+91 98765 43210", "0091 98765 43210", "९८७६५ ४३२१०"],
)
def test_phones_of_the_country_become_e164(text):
    assert rules.normalize_phone(text, "IN") == "+919876543210"


@given(st.from_regex(rules.INDIAN_PHONE, fullmatch=True))
@example("+919876543210")
@example("+911234567890")
@example("+911800123456")
def test_what_needs_no_parsing_is_taken_and_refused_as_if_it_were_parsed(text):
    number = phonenumbers.parse(text, "IN")
    try:
        taken = rules.normalize_phone(text, "IN")
    except ValueError:
        taken = None

    assert taken == (text if phonenumbers.is_valid_number(number) else None)
    assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text


def test_phones_of_another_country_keep_theirs():
    assert rules.normalize_phone("+44 20 7946 0018", "IN") == "+442079460018"


@pytest.mark.parametrize("text", ["", "abc", "98765", "+91 1", "9" * 41, "+999 12345678"])
def test_malformed_phones_are_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="phone number"):
        rules.normalize_phone(text, "IN")


def test_email_is_trimmed_and_lower_case():
    assert rules.normalize_email(" Asha@Example.COM ") == "asha@example.com"


@pytest.mark.parametrize("text", ["asha", "asha@", "a b@example.com", "asha@localhost"])
def test_malformed_email_is_refused(text):
    with pytest.raises(ValueError, match="e-mail address"):
        rules.normalize_email(text)


def test_tags_are_trimmed_and_kept_once_whatever_their_case():
    assert rules.clean_tags([" VIP ", "vip", "", "balayage  fan", "दुल्हन"]) == [
        "VIP",
        "balayage fan",
        "दुल्हन",
    ]


@pytest.mark.parametrize("tags", [["x" * 51], [str(n) for n in range(51)]])
def test_too_long_or_too_many_tags_are_refused(tags):
    with pytest.raises(ValueError, match="at most 50"):
        rules.clean_tags(tags)


@pytest.mark.parametrize(
    ("type_", "value", "stored"),
    [
        ("text", "curly", "curly"),
        ("number", 4.5, 4.5),
        ("boolean", False, False),
        ("date", "2026-02-28", "2026-02-28"),
        ("choice", "oily", "oily"),
    ],
)
def test_attributes_of_their_type_are_taken(type_, value, stored):
    assert rules.check_attribute(value, AttributeType(type_, ("oily", "dry"))) == stored


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", 5),
        ("text", "x" * 501),
        ("text", "x\0"),
        ("number", "5"),
        ("number", True),
        ("number", float("inf")),
        ("boolean", "yes"),
        ("date", "28.02.2026"),
        ("date", "2026-02-30"),
        ("date", 20260228),
        ("choice", "normal"),
        ("choice", ["oily"]),
    ],
)
def test_attributes_of_another_type_are_refused(type_, value):
    with pytest.raises(ValueError, match=r"Write|Choose"):
        rules.check_attribute(value, AttributeType(type_, ("oily", "dry")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Asha SHARMA", [SearchWord("asha"), SearchWord("sharma")]),
        ("98765 43210", [SearchWord("98765 43210", ("9876543210",))]),
        ("+91-98765", [SearchWord("+91-98765", ("9198765",))]),
        ("09876", [SearchWord("09876", ("09876", "9876"))]),
        ("९८७", [SearchWord("987", ("987",))]),
        ("as\0ha", [SearchWord("asha")]),
        ("98", [SearchWord("98")]),
        ("asha 987", [SearchWord("asha"), SearchWord("987", ("987",))]),
    ],
)
def test_what_is_typed_is_read_as_words_or_as_a_phone(text, words):
    assert search_words(text) == words
