"""What offers by e-mail end with."""

import pytest

from marketing.content.mail_footer import add_footer
from marketing.content.rendering import Rendered

LINK = "https://example.com/u/token"
SENDER = "Glow & Co, 5 Park Street, Kolkata"


def footed(body="Hi", html="<p>Hi</p>", sender=SENDER, language="en"):
    rendered = Rendered(body=body, language=language, subject="Offer", html=html)
    return add_footer(rendered, sender=sender, unsubscribe_url=LINK)


def test_both_parts_say_who_sends_and_how_to_stop():
    mail = footed()
    assert mail.body == f"Hi\n\n{SENDER}\nUnsubscribe: {LINK}"
    assert mail.html.startswith("<p>Hi</p><p ")
    assert "Glow &amp; Co, 5 Park Street, Kolkata" in mail.html
    assert f'<a href="{LINK}">Unsubscribe</a>' in mail.html


def test_a_link_of_its_own_is_enough():
    mail = footed(body=f"Hi, {LINK}", html=f'<a href="{LINK}">No more</a>')
    assert mail.body == f"Hi, {LINK}\n\n{SENDER}"
    assert mail.html.count(LINK) == 1


def test_each_part_is_looked_at_by_itself():
    mail = footed(html=f'<a href="{LINK}">No more</a>')
    assert mail.html.count(LINK) == mail.body.count(LINK) == 1


@pytest.mark.parametrize("body", [f"Hi {LINK}"])
def test_nothing_to_add_leaves_the_mail_as_it_is(body):
    html = f'<a href="{LINK}">No more</a>'
    mail = footed(body=body, html=html, sender="")
    assert (mail.body, mail.html) == (body, html)


def test_in_the_readers_language():
    assert "अनसब्सक्राइब" in footed(language="hi").html
