"""What an offer by e-mail ends with: a way out, and where its sender can be written to.

US law (CAN-SPAM) asks for both in the mail itself, mailbox providers for the visible link.
"""

from dataclasses import replace
from functools import lru_cache

from django.utils.html import escape, format_html
from django.utils.translation import gettext as _
from django.utils.translation import override

from marketing.content.rendering import Rendered

STYLE = "margin: 16px; font: 13px/20px Arial, sans-serif; color: #52606d; text-align: center"


def add_footer(rendered: Rendered, *, sender: str, unsubscribe_url: str) -> Rendered:
    """The mail with the sender's postal address, and the link where it has none of its own."""
    unsubscribe = _unsubscribe(rendered.language)
    text, html = ([sender], [escape(sender)]) if sender else ([], [])
    if unsubscribe_url not in rendered.body:
        text.append(f"{unsubscribe}: {unsubscribe_url}")
    if unsubscribe_url not in rendered.html:
        html.append(format_html('<a href="{}">{}</a>', unsubscribe_url, unsubscribe))
    return replace(
        rendered,
        body=rendered.body + ("\n\n" + "\n".join(text) if text else ""),
        html=rendered.html + (f'<p style="{STYLE}">{"<br>".join(html)}</p>' if html else ""),
    )


@lru_cache(maxsize=64)
def _unsubscribe(language: str) -> str:
    with override(language):
        return _("Unsubscribe")
