"""From a marked message to the envelope that a vendor's client takes."""

from collections.abc import Mapping
from uuid import UUID

from customers.links import unsubscribe_url
from marketing.content.models import TemplateVersion
from marketing.content.rendering import CompiledVersion, compile_version
from marketing.content.rules import count_sms
from marketing.delivery.dispatch.lease import Marked
from marketing.delivery.providers.base import Envelope


class MessageRenderer:
    """Renders the messages of one tenant; template versions are loaded once."""

    def __init__(self, versions: Mapping[UUID, TemplateVersion]) -> None:
        self._versions = versions
        self._compiled: dict[UUID, CompiledVersion] = {
            version_id: compile_version(version) for version_id, version in versions.items()
        }

    def render(self, message: Marked) -> tuple[Envelope, int]:
        """The envelope, and how many SMS segments it takes (1 on other channels)."""
        version = self._versions[message.version_id]
        compiled = self._compiled[message.version_id]
        channel = version.template.channel
        variables = message.variables
        link = ""
        if channel == "email" or "unsubscribe_url" in compiled.placeholders:
            link = unsubscribe_url(message.tenant_id, message.customer_id, channel)
            variables = variables | {"unsubscribe_url": link}
        rendered = compiled.render(message.language, variables)
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
