"""What marketing by e-mail ends with: a way out, and where its sender can be written to.

US law (CAN-SPAM) asks for both in the mail itself, mailbox providers for the visible link.
"""

from dataclasses import replace
from functools import lru_cache

from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import override

from marketing.content.email_layout import at_end
from marketing.content.mail import MailForm
from marketing.content.markup import Parts, filling
from marketing.policy import selectors as policy

STYLE = "margin: 16px; font: 13px/20px Arial, sans-serif; color: #52606d; text-align: center"
LINK = "unsubscribe_url"


def sender_of(chain: str) -> str:
    """The chain's name and postal address; empty while it has none. In the open tenant scope."""
    address = policy.postal_address()
    return f"{chain}, {address}" if address else ""


def with_footer(form: MailForm, *, sender: str) -> MailForm:
    """The mail with the sender's postal address, and the link where it has none of its own.

    A link that only some readers would get, as one inside of a condition, is none.
    """
    unsubscribe = _unsubscribe(form.language)
    text: list[Parts] = [(sender,)] if sender else []
    html: list[Parts] = [(escape(sender),)] if sender else []
    if filling(LINK) not in form.body:
        text.append((f"{unsubscribe}: ", filling(LINK)))
    if filling(LINK, html=True) not in form.html:
        html.append(('<a href="', filling(LINK, html=True), f'">{escape(unsubscribe)}</a>'))
    return replace(
        form,
        body=form.body + _framed("\n\n", text, "\n", ""),
        html=at_end(form.html, _framed(f'<p class="foot" style="{STYLE}">', html, "<br>", "</p>")),
    )


def _framed(before: str, lines: list[Parts], between: str, after: str) -> Parts:
    """The lines with what stands around and between them; nothing without lines."""
    if not lines:
        return ()
    joined = lines[0]
    for line in lines[1:]:
        joined = (*joined, between, *line)
    return (before, *joined, after)


@lru_cache(maxsize=64)
def _unsubscribe(language: str) -> str:
    with override(language):
        return _("Unsubscribe")
