"""What authors may write, and what they are told about the rest."""

import pytest

from marketing.content.contents import clean_contents
from marketing.core.errors import ValidationFailed

LANGUAGES = ("en", "hi")


def clean(channel, *, country="IN", **languages):
    return clean_contents(channel, languages, languages=LANGUAGES, country=country)


def errors(channel, **languages):
    with pytest.raises(ValidationFailed) as caught:
        clean(channel, **languages)
    return caught.value.fields


def test_trims_and_keeps_known_parts():
    cleaned = clean("sms", en={"body": "  Hi {{ customer_name }}\r\nBye "}, hi={"body": "नमस्ते"})
    assert cleaned == {"en": {"body": "Hi {{ customer_name }}\nBye"}, "hi": {"body": "नमस्ते"}}


def test_an_unknown_merge_field_is_named_with_the_nearest():
    assert errors("sms", en={"body": "Hi\n{{ custmer_name }} {{ zzzz }}"}) == {
        "contents.en.body": [
            "Line 2, column 4: There is no merge field “custmer_name”. "
            "Did you mean “customer_name”?",
            "Line 2, column 23: There is no merge field “zzzz”.",
        ]
    }


def test_a_syntax_error_has_its_place():
    assert errors("sms", en={"body": "Hi {{ customer_name"}) == {
        "contents.en.body": ["Line 1, column 4: Expected '}}', found end of file."]
    }


def test_all_mistakes_come_at_once():
    found = errors(
        "email", en={"subject": "", "body": "{{ x }}"}, hi={"body": ""}, bn={"body": "x"}
    )
    assert set(found) == {
        "contents.en.subject",
        "contents.en.body",
        "contents.hi.subject",
        "contents.hi.body",
        "contents.bn",
    }


def test_the_first_language_is_needed():
    assert set(errors("sms", hi={"body": "नमस्ते"})) == {"contents.en.body"}


@pytest.mark.parametrize("parts", ["text", None, 5, ["a"]])
def test_parts_must_be_an_object(parts):
    assert set(errors("sms", en=parts)) == {"contents.en"}


@pytest.mark.parametrize(
    ("channel", "part"),
    [("sms", "subject"), ("sms", "buttons"), ("whatsapp", "html"), ("email", "footer")],
)
def test_parts_of_other_channels_are_refused(channel, part):
    parts = {"body": "Hi", "subject": "Hi"} if channel == "email" else {"body": "Hi"}
    assert f"contents.en.{part}" in errors(channel, en={**parts, part: "x"})


@pytest.mark.parametrize(
    "body",
    [
        "{% if customer_name %}x{% endif %} y",
        "Hi {{ customer_name | upcase }}.",
        "Hi {{ customer_name | default: branch_name }}.",
        'Hi {{ "x" }}.',
    ],
)
@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_vendors_fill_in_plain_values_only(channel, body):
    message = errors(channel, en={"body": body})["contents.en.body"][0]
    assert message.startswith("Line 1, column ")
    assert "provider fills" in message


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_an_empty_default_would_be_refused_by_vendors(channel):
    found = errors(channel, en={"body": 'Hi {{ customer_name | default: " " }}.'})
    assert found == {"contents.en.body": ["Line 1, column 4: The default may not be empty."]}


def test_email_may_have_conditions():
    body = "{% if visit_count > 5 %}Dear regular{% else %}Hi {{ customer_name }}{% endif %}"
    assert clean("email", en={"subject": "Hi", "body": body})["en"]["body"] == body


def test_what_would_fail_while_sending_fails_now():
    found = errors("email", en={"subject": "Hi", "body": "{% if customer_name > 5 %}x{% endif %}"})
    assert set(found) == {"contents.en.body"}


def whatsapp_errors(**parts):
    return errors("whatsapp", en={"body": "Hello", **parts})


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"header": "x" * 61}, "header"),
        ({"header": "a\nb"}, "header"),
        ({"header": "{{ customer_name }} {{ branch_name }}"}, "header"),
        ({"footer": "x" * 61}, "footer"),
        ({"footer": "Hi {{ customer_name }}"}, "footer"),
        ({"body": "x" * 1025}, "body"),
        ({"body": "{{ customer_name }}, hello"}, "body"),
        ({"body": "Hello {{ customer_name }}"}, "body"),
        ({"body": "x" * 5001}, "body"),
        ({"buttons": [{"type": "quick_reply", "text": "x"}] * 11}, "buttons"),
        ({"buttons": "x"}, "buttons"),
        ({"buttons": ["x"]}, "buttons.0.type"),
        ({"buttons": [{"type": "fax", "text": "x"}]}, "buttons.0.type"),
        ({"buttons": [{"type": "quick_reply", "text": ""}]}, "buttons.0.text"),
        ({"buttons": [{"type": "quick_reply", "text": "x" * 26}]}, "buttons.0.text"),
        ({"buttons": [{"type": "quick_reply", "text": "{{ customer_name }}"}]}, "buttons.0.text"),
        ({"buttons": [{"type": "url", "text": "x", "value": "ftp://x"}]}, "buttons.0.value"),
        (
            {"buttons": [{"type": "url", "text": "x", "value": "javascript:alert(1)"}]},
            "buttons.0.value",
        ),
        (
            {"buttons": [{"type": "url", "text": "x", "value": "https://x/" + "y" * 2000}]},
            "buttons.0.value",
        ),
        (
            {"buttons": [{"type": "url", "text": "x", "value": "https://{{ branch_city }}.in"}]},
            "buttons.0.value",
        ),
        ({"buttons": [{"type": "phone", "text": "x", "value": "12"}]}, "buttons.0.value"),
    ],
)
def test_whatsapps_limits(parts, path):
    assert f"contents.en.{path}" in whatsapp_errors(**parts)


def test_whatsapp_limits_count_a_field_as_its_number():
    long_name = '{{ customer_name | default: "' + "x" * 100 + '" }}'
    body = "a" * 1000 + long_name + "b"
    assert clean("whatsapp", en={"body": body})["en"]["body"] == body


def test_buttons_are_cleaned():
    buttons = [
        {"type": "quick_reply", "text": " Book ", "value": "ignored"},
        {"type": "phone", "text": "Call", "value": "98765 43210"},
        {"type": "url", "text": "Offers", "value": "https://x.in/{{ branch_city }}"},
    ]
    assert clean("whatsapp", en={"body": "Hi", "buttons": buttons})["en"]["buttons"] == [
        {"type": "quick_reply", "text": "Book", "value": ""},
        {"type": "phone", "text": "Call", "value": "+919876543210"},
        {"type": "url", "text": "Offers", "value": "https://x.in/{{ branch_city }}"},
    ]


CALLS = [
    ("98765 43210", "+919876543210"),
    ("{{ branch_phone }}", "{{ branch_phone }}"),
    ('{{ branch_phone | default: "+912226400100" }}',) * 2,
]


@pytest.mark.parametrize(("number", "kept"), CALLS)
def test_a_mails_button_calls_a_number(number, kept):
    button = {"type": "phone", "text": "Call", "value": number}
    cleaned = clean("email", en={"subject": "x", "body": "x", "buttons": [button]})
    assert cleaned["en"]["buttons"] == [{**button, "value": kept}]


@pytest.mark.parametrize(
    "number", ["", "ask", "{{ branch_phone }} or ask", "{{ branch_fone }}", "{{ branch_phone"]
)
def test_a_mails_button_calls_nothing_else(number):
    button = {"type": "phone", "text": "Call", "value": number}
    found = errors("email", en={"subject": "x", "body": "x", "buttons": [button]})
    assert set(found) == {"contents.en.buttons.0.value"}


def test_an_sms_has_a_limit_of_segments():
    assert "contents.hi.body" in errors("sms", en={"body": "x"}, hi={"body": "न" * 671})
    assert clean("sms", en={"body": "x" * 1530})


def test_an_sms_is_counted_with_the_short_links_that_leave():
    text = " ".join(f"https://kalpa.example/{'long-' * 60}{number}" for number in range(6))
    contents, rest = {"en": {"body": text}}, {"languages": ["en"], "country": "IN"}
    assert clean_contents("sms", contents, short_links_at="https://k.in", **rest) == contents
    with pytest.raises(ValidationFailed):
        clean_contents("sms", contents, **rest)


def test_a_subject_is_one_short_line():
    for subject in ("a\nb", "x" * 256):
        assert set(errors("email", en={"subject": subject, "body": "x"})) == {"contents.en.subject"}


def test_a_huge_source_is_refused_before_it_is_read():
    found = errors("sms", en={"body": "{{ customer_name }}" * 100_000})
    assert found == {"contents.en.body": ["This has 1900000 characters; at most 5000 are allowed."]}


def test_a_zero_byte_is_refused():
    assert set(errors("sms", en={"body": "a\x00b"})) == {"contents.en.body"}


def html(source):
    return clean("email", en={"subject": "x", "body": "x", "html": source})["en"]["html"]


@pytest.mark.parametrize(
    ("source", "cleaned"),
    [
        ('<p onclick="x()">Hi</p><script>x()</script>', "<p>Hi</p>"),
        ('<a href="javascript:x()">Hi</a>', "<a>Hi</a>"),
        ("<iframe src='https://x'></iframe><form><input></form>Hi", "Hi"),
        ('<p style="color: red; position: fixed">Hi</p>', '<p style="color:red">Hi</p>'),
        ('<a href="{{ unsubscribe_url }}">Out</a>', '<a href="{{ unsubscribe_url }}">Out</a>'),
        (
            '<a href="https://x/?a={{ branch_city | default: "x" }}">Out</a>',
            '<a href="https://x/?a={{ branch_city | default: "x" }}">Out</a>',
        ),
        (
            "{% if visit_count > 5 %}<b>A &amp; B</b>{% endif %}",
            "{% if visit_count > 5 %}<b>A &amp; B</b>{% endif %}",
        ),
        (
            "<table><tbody>{% if visit_count > 5 %}<tr><td>x</td></tr>{% endif %}</tbody></table>",
            "<table><tbody>{% if visit_count > 5 %}<tr><td>x</td></tr>{% endif %}</tbody></table>",
        ),
    ],
)
def test_email_html_is_sanitised_and_its_liquid_kept(source, cleaned):
    assert html(source) == cleaned


def test_literals_may_not_smuggle_html_in():
    found = errors(
        "email",
        en={"subject": "x", "body": "x", "html": "{{ customer_name | default: '<script>' }}"},
    )
    assert set(found) == {"contents.en.html"}
