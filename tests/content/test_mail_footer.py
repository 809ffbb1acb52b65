"""What marketing by e-mail ends with."""

import pytest

from marketing.content.mail_footer import with_footer
from marketing.content.rendering import compile_contents

LINK = "https://example.com/u/token"
SENDER = "Glow & Co, 5 Park Street, Kolkata"
OWN = "{{ unsubscribe_url }}"


def footed(body="Hi", html="<p>Hi</p>", sender=SENDER, language="en"):
    parts = {"subject": "Offer", "body": body, "html": html}
    form = compile_contents("email", {language: parts}, (language,)).mail(language)
    return with_footer(form, sender=sender).fill({"unsubscribe_url": LINK, "customer_name": None})


def test_both_parts_say_who_sends_and_how_to_stop():
    mail = footed()
    assert mail.body == f"Hi\n\n{SENDER}\nUnsubscribe: {LINK}"
    assert mail.html.startswith("<p>Hi</p><p ")
    assert "Glow &amp; Co, 5 Park Street, Kolkata" in mail.html
    assert f'<a href="{LINK}">Unsubscribe</a>' in mail.html


def test_a_link_of_its_own_is_enough():
    mail = footed(body=f"Hi, {OWN}", html=f'<a href="{OWN}">No more</a>')
    assert mail.body == f"Hi, {LINK}\n\n{SENDER}"
    assert mail.html.count(LINK) == 1


def test_each_part_is_looked_at_by_itself():
    mail = footed(html=f'<a href="{OWN}">No more</a>')
    assert mail.html.count(LINK) == mail.body.count(LINK) == 1


def test_a_link_that_not_everybody_gets_is_none():
    mail = footed(body="{% if customer_name %}" + OWN + "{% endif %}")
    assert mail.body.endswith(f"Unsubscribe: {LINK}")


def test_nothing_to_add_leaves_the_mail_as_it_is():
    mail = footed(body=f"Hi {OWN}", html=f'<a href="{OWN}">No more</a>', sender="")
    assert (mail.body, mail.html) == (f"Hi {LINK}", f'<a href="{LINK}">No more</a>')


def test_a_mail_without_html_of_its_own_has_a_link_to_follow():
    mail = footed(body=f"Hi {OWN}", html="")
    assert mail.body.count(LINK) == 1
    assert f'<a href="{LINK}">Unsubscribe</a>' in mail.html


@pytest.mark.parametrize("sender", [SENDER, ""])
def test_in_the_readers_language(sender):
    assert "अनसब्सक्राइब" in footed(language="hi", sender=sender).html
