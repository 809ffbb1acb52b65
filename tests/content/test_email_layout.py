"""E-mails written in plain parts, laid out by MJML."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.content import email_html, email_layout
from marketing.content.contents import clean_contents
from marketing.content.links import with_short_links
from marketing.content.mail_footer import with_footer
from marketing.content.rendering import compile_contents
from marketing.core.errors import ValidationFailed

SUBJECT = {"subject": "Diwali at our salon"}
FULL = {
    "subject": "For {{ customer_name }}",
    "preheader": "Only this week, {{ customer_name }}",
    "header": "Glow & shine",
    "image": "https://example.com/diwali.jpg?w=600&h=300",
    "imageAlt": 'The "glow" facial',
    "body": "Hi {{ customer_name }},\ncome and see us.\n\n"
    "More at https://example.com/diwali?a=1&b={{ customer_name }}.",
    "buttons": [{"type": "url", "text": "Book & save", "value": "https://example.com/b?x=1&y=2"}],
}


def compiled(language="en", **parts):
    return compile_contents("email", {language: SUBJECT | parts}, (language,))


def rendered(language="en", name="Asha", **parts):
    values = {"customer_name": name, "unsubscribe_url": "https://example.com/u/1"}
    return compiled(language, **parts).render(language, values)


def test_is_a_document_of_one_column_that_phones_can_narrow():
    html = rendered(body="Hi").html
    assert email_html.is_document(html)
    assert "max-width:600px" in html
    assert 'name="viewport"' in html
    assert "<title>Diwali at our salon</title>" in html


def test_has_colours_for_dark_screens():
    html = rendered(body="Hi").html
    assert '<meta name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme: dark" in html


@pytest.mark.parametrize("language", ["en", "hi", "bn"])
def test_says_its_language(language):
    assert f'lang="{language}"' in rendered(language, body="Hi").html


def test_every_part_is_there():
    html = rendered(**FULL).html
    assert "display:none" in html.split("Only this week, Asha")[0].rsplit("<div", 1)[1]
    assert ">Glow &amp; shine</h1>" in html
    assert 'src="https://example.com/diwali.jpg?w=600&amp;h=300"' in html
    assert 'alt="The &quot;glow&quot; facial"' in html
    assert ">Hi Asha,<br" in html
    assert 'href="https://example.com/diwali?a=1&amp;b=Asha"' in html
    assert 'href="https://example.com/b?x=1&amp;y=2"' in html
    assert ">Book &amp; save</a>" in html


def test_the_text_part_says_the_same():
    assert rendered(**FULL).body == (
        "Glow & shine\n\nHi Asha,\ncome and see us.\n\n"
        "More at https://example.com/diwali?a=1&b=Asha.\n\n"
        "Book & save: https://example.com/b?x=1&y=2"
    )


def test_values_are_escaped_wherever_they_stand():
    button = {"type": "url", "text": "Go", "value": "https://example.com/?q={{ customer_name }}"}
    html = rendered(name='"><script>x</script>', **{**FULL, "buttons": [button]}).html
    assert "<script>" not in html
    assert 'q=">' not in html


def test_a_value_of_many_lines_stays_in_its_paragraph_and_out_of_links():
    html = rendered(name="Asha\n\nDevi", body="Hi {{ customer_name }}!").html
    assert "Hi Asha<br><br>Devi!" in html


def test_conditions_survive_mjml():
    text = "{% if visit_count < 3 %}Welcome{% else %}Dear regular{% endif %} & more"
    contents = compiled(body=text)
    assert "Welcome &amp; more" in contents.render("en", {"visit_count": "2"}).html
    assert "Dear regular &amp; more" in contents.render("en", {"visit_count": "9"}).html


def test_what_fills_a_whole_address_is_a_link():
    html = rendered(body="No more: {{ unsubscribe_url }}").html
    assert '<a href="https://example.com/u/1">https://example.com/u/1</a>' in html


def test_the_footer_and_what_else_is_added_stand_inside_the_document():
    form = with_footer(compiled(body="Hi").mail("en"), sender="Glow, 5 Park Street")
    html = form.fill({"unsubscribe_url": "https://example.com/u/1"}).html
    assert html.rstrip().endswith("</p></body></html>")
    assert html.index("Hi") < html.index("Glow, 5 Park Street") < html.index("</body>")


def test_an_authors_own_html_has_its_footer_at_the_end():
    assert email_layout.at_end(("<p>Hi</p>",), ("<br>",)) == ("<p>Hi</p>", "<br>")


def test_on_our_pages_nothing_is_loaded_run_or_hidden():
    html = rendered(**FULL).page_html
    assert not re.search(r"<style|<!--|src=|style=|Only this week", html)
    assert "<strong>Glow &amp; shine</strong>" in html
    assert "<h1" not in html


def test_buttons_are_tracked_like_other_links():
    sent, links = with_short_links("email", {"en": FULL}, "https://p.example")
    assert links == (
        "https://example.com/diwali?a=1&b={{ customer_name }}",
        "https://example.com/b?x=1&y=2",
    )
    assert sent["en"]["buttons"][0]["value"] == "https://p.example/r/{{ link_2 }}"
    html = compile_contents("email", sent, ("en",)).render(
        "en", {"customer_name": "Asha", "link_1": "AAA", "link_2": "BBB"}
    ).html  # fmt: skip
    assert 'href="https://p.example/r/AAA"' in html
    assert 'href="https://p.example/r/BBB"' in html


def test_is_laid_out_once_for_all_its_readers(monkeypatch):
    made = []
    lay_out = email_layout.mjml2html
    monkeypatch.setattr(
        email_layout, "mjml2html", lambda source: made.append(source) or lay_out(source)
    )
    for name in ("Asha", "Ravi", "Meena"):
        assert name in rendered(name=name, body="Once only, {{ customer_name }}").html
    assert len(made) == 1


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200))
def test_any_words_can_be_laid_out(words):
    text = re.sub(r"[{}]", "", words)
    html = rendered(body=f"Words: {text} :end", header=text, preheader=text).html
    assert "Words:" in html
    assert html.count("</body>") == 1


def refused(**parts):
    with pytest.raises(ValidationFailed) as refusal:
        clean_contents(
            "email", {"en": {"subject": "Hi", "body": "Hi"} | parts}, languages=["en"], country="IN"
        )
    return set(refusal.value.fields)


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"image": "https://example.com/a.png"}, "imageAlt"),
        ({"image": "http://example.com/a.png", "imageAlt": "A"}, "image"),
        ({"image": 'https://example.com/"onload=x', "imageAlt": "A"}, "image"),
        ({"image": "https://example.com/{{ customer_name }}", "imageAlt": "A"}, "image"),
        ({"preheader": "a\nb"}, "preheader"),
        ({"header": "a" * 151}, "header"),
        (
            {"buttons": [{"type": "quick_reply", "text": "Call", "value": "9820012345"}]},
            "buttons.0.type",
        ),
        ({"buttons": [{"type": "url", "text": "Go", "value": "javascript:x"}]}, "buttons.0.value"),
        ({"buttons": [{"type": "url", "text": "Go", "value": "https://x.in"}] * 3}, "buttons"),
    ],
)
def test_what_cannot_be_laid_out_is_refused_at_its_field(chain, parts, field):
    assert refused(**parts) == {f"contents.en.{field}"}
