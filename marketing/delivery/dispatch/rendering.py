"""From a marked message to the envelope that a vendor's client takes."""

from collections.abc import Mapping
from uuid import UUID

from customers.links import NOBODY, unsubscribe_url
from customers.models import Channel
from marketing.content.mail import Mail, MailForm
from marketing.content.mail_footer import LINK, sender_of, with_footer
from marketing.content.models import TemplateVersion
from marketing.content.rendering import Rendered
from marketing.content.rules import count_sms
from marketing.delivery.dispatch.lease import Marked
from marketing.delivery.links.tracking import prepare
from marketing.delivery.providers.base import Envelope
from marketing.policy.rules import PROMOTIONAL, TRANSACTIONAL, purpose_of


class MessageRenderer:
    """Renders the messages of one run, in whose tenant's scope it is made.

    Versions are loaded once, what a mailing's mails have in common is laid out once. All but
    what somebody asked for herself ends with a way out and the sender's address. A test to staff
    shows them too, and its way out leads nobody out.
    """

    def __init__(
        self,
        versions: Mapping[UUID, TemplateVersion],
        *,
        purpose: str = PROMOTIONAL,
        is_test: bool = False,
    ) -> None:
        self._versions = versions
        self._tracked = prepare(versions.values())
        self._purpose = purpose
        self._is_test = is_test
        self._mails = self._mail_forms()

    def render(self, message: Marked) -> tuple[Envelope, int]:
        """The envelope, and how many SMS segments it takes (1 on other channels)."""
        if message.version_id is None:
            return _free_text(message), message.segments
        version = self._versions[message.version_id]
        tracked = self._tracked[message.version_id]
        compiled = tracked.compiled
        channel = version.template.channel
        language = compiled.language_for(message.language)
        values = compiled.values(language, message.variables)
        values |= tracked.codes(message.id, language)
        link = ""
        if channel == Channel.EMAIL or LINK in values:
            reader = NOBODY if self._is_test else message.customer_id
            link = unsubscribe_url(message.tenant_id, reader, channel)
            values[LINK] = link
        rendered: Rendered | Mail
        parameters = None
        if channel == Channel.EMAIL:
            rendered = self._mails[message.version_id, language].fill(values)
        else:
            rendered = compiled.fill(language, values)
            parameters = compiled.fill_parameters(language, values)
        envelope = Envelope(
            message_id=message.id,
            address=message.address,
            language=language,
            rendered=rendered,
            parameters=parameters,
            vendor_template=version.vendor_template(language),
            unsubscribe_url=link,
            is_promotional=self._purpose == PROMOTIONAL,
            tries=message.tries,
        )
        return envelope, count_sms(rendered.body).segments if channel == Channel.SMS else 1

    def _mail_forms(self) -> dict[tuple[UUID, str], MailForm]:
        """Each mail as it leaves, by version and language."""
        mails = [each for each in self._versions.values() if each.template.channel == Channel.EMAIL]
        marketing = [each for each in mails if self._purpose_of(each) != TRANSACTIONAL]
        sender = sender_of(marketing[0].tenant.name) if marketing else ""
        forms = {}
        for version in mails:
            tracked = self._tracked[version.pk]
            for language in tracked.compiled.languages:
                form = tracked.compiled.mail(language)
                if version in marketing:
                    form = with_footer(form, sender=sender)
                forms[version.pk, language] = tracked.with_picture(form)
        return forms

    def _purpose_of(self, version: TemplateVersion) -> str:
        if not self._is_test:
            return self._purpose
        template = version.template
        return purpose_of(template.template_type, template.trigger_type)


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
