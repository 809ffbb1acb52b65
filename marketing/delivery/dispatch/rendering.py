"""From a marked message to the envelope that a vendor's client takes."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from customers.links import unsubscribe_url
from marketing.content.models import TemplateVersion
from marketing.content.rendering import Rendered
from marketing.content.rules import count_sms
from marketing.delivery.dispatch.lease import Marked
from marketing.delivery.links.tracking import prepare
from marketing.delivery.providers.base import Envelope


class MessageRenderer:
    """Renders the messages of one tenant, in whose scope it is made; versions are loaded once."""

    def __init__(self, versions: Mapping[UUID, TemplateVersion]) -> None:
        self._versions = versions
        self._tracked = prepare(versions.values())

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
        if channel == "email":
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
        )
        return envelope, count_sms(rendered.body).segments if channel == "sms" else 1


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
