"""Short links into messages: prepared once per version, signed per message."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from customers.models import Channel
from marketing.content.email_layout import at_end
from marketing.content.links import SentForm, compile_sent
from marketing.content.mail import MailForm
from marketing.content.markup import filling
from marketing.content.models import TemplateVersion
from marketing.content.rendering import CompiledVersion
from marketing.delivery.links.codes import make_codes
from marketing.delivery.models import TrackedLink
from marketing.policy import selectors as policy

PICTURE = ""  # the source of the link that is a picture
OPENING = "opening"  # where a mail has the picture's code; no merge field


@dataclass(frozen=True)
class TrackedVersion:
    """A version as it is sent. `links` are, per language, the numbers of its links by the
    placeholder of each; `picture_id` the number of its opening picture, if it has one."""

    compiled: CompiledVersion
    links: Mapping[str, Mapping[str, int]]
    picture_id: int | None = None

    def codes(self, message_id: uuid.UUID, language: str) -> dict[str, str]:
        """What to fill in for the links of a message, and for its picture."""
        links = self.links[self.compiled.language_for(language)]
        if self.picture_id is not None:
            links = {**links, OPENING: self.picture_id}
        return dict(zip(links, make_codes(links.values(), message_id), strict=True))

    def with_picture(self, form: MailForm) -> MailForm:
        """An e-mail with what shows that it was opened."""
        if self.picture_id is None:
            return form
        address = f'<img src="{settings.PUBLIC_BASE_URL}/o/'
        size = '.gif" width="1" height="1" alt="" border="0">'
        return replace(form, html=at_end(form.html, (address, filling(OPENING), size)))


def prepare(versions: Iterable[TemplateVersion]) -> dict[uuid.UUID, TrackedVersion]:
    """The versions as they are sent; links that are new are made. In their tenant's scope."""
    forms = {version.pk: (version, compile_sent(version)) for version in versions}
    with_pictures = policy.get_config().track_opens
    wanted: dict[uuid.UUID, list[str]] = {}
    for version, form in forms.values():
        has_picture = with_pictures and version.template.channel == Channel.EMAIL
        if sources := [*form.links, *([PICTURE] if has_picture else [])]:
            wanted[version.pk] = sources
    known = _known(wanted)
    missing = [
        _new(forms[version_id][0], source)
        for version_id, sources in wanted.items()
        for source in sources
        if (version_id, source) not in known
    ]
    if missing:
        TrackedLink.objects.bulk_create(missing, ignore_conflicts=True)
        known = _known(wanted)
    return {
        version_id: _tracked(form, {s: known[version_id, s] for s in wanted.get(version_id, ())})
        for version_id, (_version, form) in forms.items()
    }


Known = dict[tuple[uuid.UUID, str], int]


def _known(wanted: Mapping[uuid.UUID, object]) -> Known:
    if not wanted:
        return {}
    rows = TrackedLink.objects.filter(version_id__in=list(wanted))
    return {(row.version_id, row.source): row.pk for row in rows}


def _new(version: TemplateVersion, source: str) -> TrackedLink:
    return TrackedLink(
        tenant_id=version.tenant.pk,
        version_id=version.pk,
        source=source,
        channel=version.template.channel,
        content=f"{version.template.name} {version.number}",
    )


def _tracked(form: SentForm, known: Mapping[str, int]) -> TrackedVersion:
    return TrackedVersion(
        compiled=form.compiled,
        links={
            language: {
                name: known[form.links[number - 1]]
                for name, number in form.numbers(language).items()
            }
            for language in form.compiled.languages
        },
        picture_id=known.get(PICTURE),
    )
