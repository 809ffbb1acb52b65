"""A link was followed, or a picture loaded: where it leads, and the note of it."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection
from django.utils import timezone
from django.utils.encoding import iri_to_uri

from marketing.content import markup
from marketing.content.rendering import written_values
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.links.agents import TOO_SOON, Visitor
from marketing.delivery.links.codes import Reference, UnknownCode, read_code
from marketing.delivery.links.utm import slug, with_utm
from marketing.delivery.models import Engagement, Message, SendRun, TrackedLink
from marketing.policy.models import MarketingConfig

# Nobody reads a message and presses a link so soon after it left.
HUMAN_DELAY = dt.timedelta(seconds=2)
# Nobody opens a message and follows its links so often: what comes after is only counted, as a
# machine's, so that none can fill the table.
MOST_KEPT = 50
COUNT_ONLY = """
INSERT INTO delivery_linkcount AS c (tenant_id, run_id, link_id, kind, machine_times)
VALUES (%s, %s, %s, %s, 1)
ON CONFLICT (run_id, link_id) DO UPDATE SET machine_times = c.machine_times + 1
"""


@dataclass(frozen=True)
class Lead:
    """Where a link leads; without `url` it is over, and `chain` has `website` to go on to."""

    url: str
    chain: Tenant
    website: str
    language: str


def follow(code: str, visitor: Visitor) -> Lead:
    """Note that the link was followed, and say where it leads. Raises `UnknownCode`.

    It is over when its message is gone, or older than the chain lets links lead on, or when
    its person was erased and the link needs what was known of them.
    """
    reference, link = _read(code, picture=False)
    with tenant_scope(link.tenant_id):
        message = _message(reference)
        chain = message.tenant if message else Tenant.objects.get(pk=link.tenant_id)
        # Straight from the database: a link works while the cache is away.
        config = MarketingConfig.objects.first() or MarketingConfig()
        url = ""
        if message and chain.is_active and not _is_over(message, config):
            url = _destination(link, message)
        if message and url:
            _note(Engagement.Kind.CLICK, link, message, visitor)
            if config.add_utm:
                url = with_utm(url, _utm(link, message))
        return Lead(
            url=iri_to_uri(url),
            chain=chain,
            website=config.website,
            language=message.language if message else chain.languages[0],
        )


def note_opening(code: str, visitor: Visitor) -> None:
    """Note that an e-mail's picture was loaded. Raises `UnknownCode`."""
    reference, link = _read(code, picture=True)
    with tenant_scope(link.tenant_id):
        if message := _message(reference):
            _note(Engagement.Kind.OPEN, link, message, visitor)


def _read(code: str, *, picture: bool) -> tuple[Reference, TrackedLink]:
    reference = read_code(code)
    link = _link(reference.link_id)
    if link is None or (link.source == "") != picture:
        raise UnknownCode(code)
    return reference, link


def _link(link_id: int) -> TrackedLink | None:
    try:
        return _kept_link(link_id)
    except TrackedLink.DoesNotExist:
        return None


@lru_cache(maxsize=4096)
def _kept_link(link_id: int) -> TrackedLink:
    """Links never change, and one that is missing is not remembered as such."""
    return TrackedLink.objects.get(pk=link_id)


def _message(reference: Reference) -> Message | None:
    found = Message.objects.select_related("run", "tenant").filter(pk__range=reference.id_range)
    return next((message for message in found if reference.names(message.pk)), None)


def _is_over(message: Message, config: MarketingConfig) -> bool:
    age = timezone.now() - message.created_at
    return config.link_days is not None and age > dt.timedelta(days=config.link_days)


def _destination(link: TrackedLink, message: Message) -> str:
    """The author's link with the person's values, which stand behind its host only."""
    written = markup.parse(link.source)
    variables = written_values(written.names, message.variables, message.language)
    if any(variables[name] is None for name in written.required):
        return ""
    return written.render(variables)


def _utm(link: TrackedLink, message: Message) -> dict[str, str]:
    run: SendRun = message.run
    return {
        "utm_source": "parlour",
        "utm_medium": link.channel,
        "utm_campaign": slug(run.label) or message.kind,
        "utm_content": slug(link.content),
    }


def _note(kind: str, link: TrackedLink, message: Message, visitor: Visitor) -> None:
    """Erased people and tests on a staff phone leave no trace."""
    if message.kind == SendRun.Kind.TEST or not message.address:
        return
    known = Engagement.objects.filter(
        customer_id=message.customer_id, pk__gte=message.pk, message_id=message.pk
    )
    if known[:MOST_KEPT].count() >= MOST_KEPT:
        with connection.cursor() as cursor:
            cursor.execute(COUNT_ONLY, [message.tenant_id, message.run_id, link.pk, kind])
        return
    left_at = message.sent_at or message.sending_at
    is_too_soon = left_at is not None and timezone.now() - left_at < HUMAN_DELAY
    Engagement.objects.create(
        kind=kind,
        message_id=message.pk,
        customer_id=message.customer_id,
        run_id=message.run_id,
        link_id=link.pk,
        machine=visitor.machine or (TOO_SOON if is_too_soon else ""),
        agent=visitor.family,
    )
