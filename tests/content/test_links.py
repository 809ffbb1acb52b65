"""Where the links of a message are, and the form in which it leaves."""

import pytest

from marketing.content.links import with_short_links
from marketing.content.preview import preview
from marketing.content.rendering import compile_contents
from marketing.content.rules import count_sms
from tests.factories.policy import set_config

BASE = "https://go.kesar.example"


def short(channel, **parts):
    contents, links = with_short_links(channel, {"en": parts}, BASE)
    return contents["en"], links


@pytest.mark.parametrize(
    ("body", "links", "sent"),
    [
        ("Book: https://k.example/book.", ("https://k.example/book",), "Book: {1}."),
        ("(see http://k.example/a_(b))!", ("http://k.example/a_(b)",), "(see {1})!"),
        ("https://k.example, https://k.example", ("https://k.example",), "{1}, {1}"),
        (
            "https://k.example/?c={{ customer_name }}&d=1 now",
            ("https://k.example/?c={{ customer_name }}&d=1",),
            "{1} now",
        ),
        ("बुक करें https://k.example/hi।", ("https://k.example/hi",), "बुक करें {1}।"),
        ("call tel:+91 or mailto:a@k.example", (), None),
        # Somebody's data would decide where these lead.
        ("https://{{ branch_name }}.example/", (), None),
        ("https://k.example{{ customer_name }}/x", (), None),
        # Where these end depends on the person.
        ("https://k.example/{% if customer_name %}a{% endif %}", (), None),
        ("{% if x == 'https://k.example/' %}a{% endif %}", (), None),
        ("{{ customer_name | default: 'https://k.example/' }}", (), None),
        ("{{ unsubscribe_url }}", (), None),
    ],
)
def test_links_in_text(body, links, sent):
    parts, found = short("sms", body=body)
    assert found == links
    expected = body if sent is None else sent.replace("{1}", BASE + "/r/{{ link_1 }}")
    assert parts["body"] == expected


def test_only_where_an_anchor_leads_is_replaced_in_html():
    parts, links = short(
        "email",
        subject="Hi",
        body="https://k.example/a",
        html=(
            '<p>https://k.example/a <a title="x" href="https://k.example/a?b=1&amp;c=2">'
            "https://k.example/a</a>"
            '<a href="{{ unsubscribe_url }}">Stop</a><a href="mailto:a@k.example">m</a>'
            '<img src="https://k.example/p.png"></p>'
        ),
    )
    assert links == ("https://k.example/a", "https://k.example/a?b=1&c=2")
    assert f'href="{BASE}/r/{{{{ link_2 }}}}"' in parts["html"]
    assert '<img src="https://k.example/p.png">' in parts["html"]
    assert 'href="{{ unsubscribe_url }}"' in parts["html"]
    assert ">https://k.example/a</a>" in parts["html"]


def test_of_whatsapp_only_link_buttons_change():
    parts, links = short(
        "whatsapp",
        body="See https://k.example/body",
        buttons=[
            {"type": "quick_reply", "text": "Yes", "value": ""},
            {"type": "url", "text": "Book", "value": "https://k.example/b/{{ customer_name }}"},
        ],
    )
    assert links == ("https://k.example/b/{{ customer_name }}",)
    assert parts["body"] == "See https://k.example/body"
    assert parts["buttons"][1]["value"] == BASE + "/r/{{ link_1 }}"
    compiled = compile_contents("whatsapp", {"en": parts}, ("en",))
    (buttons,) = (c for c in compiled.meta_components("en") if c["type"] == "BUTTONS")
    assert buttons["buttons"][1]["url"] == BASE + "/r/{{1}}"
    assert buttons["buttons"][1]["example"][0].startswith(BASE + "/r/")
    assert compiled.parameters("en", {"link_1": "abc"}).buttons == {1: "abc"}


def test_a_short_link_counts_in_the_length_and_as_a_variable_of_dlt():
    body = "Hi {{ customer_name }}, book at https://kesar.example/offers/diwali?from=sms"
    parts, _links = short("sms", body=body)
    compiled = compile_contents("sms", {"en": parts}, ("en",))
    assert compiled.vendor_text("en") == f"Hi ##VAR1##, book at {BASE}/r/##VAR2##"
    values = {"customer_name": "Asha", "link_1": "4Kq8ZtW2nB7xYc0LmD5vPa9R"}
    assert compiled.parameters("en", values).body == ("Asha", "4Kq8ZtW2nB7xYc0LmD5vPa9R")
    text = compiled.render("en", values).body
    assert count_sms(text).units == len(text) == 17 + len(BASE) + 3 + 24


def test_the_same_link_in_two_languages_is_one():
    _contents, links = with_short_links(
        "sms",
        {"en": {"body": "https://k.example/a"}, "hi": {"body": "देखें https://k.example/a"}},
        BASE,
    )
    assert links == ("https://k.example/a",)


@pytest.mark.parametrize(("tracked", "segments"), [(True, 1), (False, 2)])
def test_the_preview_counts_an_sms_as_it_will_be_sent(chain, tracked, segments):
    set_config(track_sms_links=tracked)
    contents = {"en": {"body": "Hi {{ customer_name }}, https://k.example/" + "a" * 150}}
    shown = preview("sms", contents, languages=["en"], language="en")
    assert shown.sms.segments == segments
    assert shown.placeholders == ("customer_name",)
    assert "https://k.example/aaa" in shown.rendered.body


def test_the_advice_is_about_an_sms_as_it_will_be_sent(chain):
    set_config(track_sms_links=True)
    contents = {"en": {"body": "Hi {{ customer_name }}, https://k.example/" + "a" * 150}}
    assert not preview("sms", contents, languages=["en"], language="en").advice
