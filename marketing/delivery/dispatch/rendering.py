"""From a marked message to the envelope that a vendor's client takes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from customers.links import unsubscribe_url
from customers.models import Channel
from marketing.content.mail_footer import add_footer
from marketing.content.models import TemplateVersion
from marketing.content.rendering import Rendered
from marketing.content.rules import count_sms
from marketing.delivery.dispatch.lease import Marked
from marketing.delivery.links.tracking import prepare
from marketing.delivery.providers.base import Envelope
from marketing.policy import selectors as policy


class MessageRenderer:
    """Renders the messages of one run, in whose tenant's scope it is made.

    Versions are loaded once. Only offers need a way out and the sender's address.
    """

    def __init__(
        self, versions: Mapping[UUID, TemplateVersion], *, is_promotional: bool = True
    ) -> None:
        self._versions = versions
        self._tracked = prepare(versions.values())
        self._is_promotional = is_promotional
        self._sender = _sender(versions.values()) if is_promotional else ""

    def render(self, message: Marked) -> tuple[Envelope, int]:
        """The envelope, and how many SMS segments it takes (1 on other channels)."""
        if message.version_id is None:
            return _free_text(message), message.segments
        version = self._versions[message.version_id]
        tracked = self._tracked[message.version_id]
        compiled = tracked.compiled
        channel = version.template.channel
        variables = message.variables | tracked.codes(message.id, message.language)
        link = ""
        if channel == "email" or "unsubscribe_url" in compiled.placeholders:
            link = unsubscribe_url(message.tenant_id, message.customer_id, channel)
            variables = variables | {"unsubscribe_url": link}
        rendered = compiled.render(message.language, variables)
        if channel == Channel.EMAIL:
            if self._is_promotional:
                rendered = add_footer(rendered, sender=self._sender, unsubscribe_url=link)
            rendered = replace(rendered, html=tracked.with_picture(rendered.html, message.id))
        envelope = Envelope(
            message_id=message.id,
            address=message.address,
            language=rendered.language,
            rendered=rendered,
            parameters=(
                None if channel == "email" else compiled.parameters(rendered.language, variables)
            ),
            vendor_template=version.vendor_template(rendered.language),
            unsubscribe_url=link,
            is_promotional=self._is_promotional,
            tries=message.tries,
        )
        return envelope, count_sms(rendered.body).segments if channel == "sms" else 1


def _sender(versions: Iterable[TemplateVersion]) -> str:
    """Chain and postal address, for mails; empty when there is none of both."""
    mails = [version for version in versions if version.template.channel == Channel.EMAIL]
    address = policy.postal_address() if mails else ""
    return f"{mails[0].tenant.name}, {address}" if address else ""


def _free_text(message: Marked) -> Envelope:
    """An answer to what a person wrote: the vendor knows no template of it."""
    return Envelope(
        message_id=message.id,
        address=message.address,
        language=message.language,
        rendered=Rendered(body=message.variables["text"], language=message.language),
        parameters=None,
        vendor_template="",
        unsubscribe_url="",
        is_promotional=False,
    )
