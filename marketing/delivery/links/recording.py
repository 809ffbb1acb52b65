"""A link was followed, or a picture loaded: where it leads, and the note of it."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.encoding import iri_to_uri

from marketing.content import markup
from marketing.content.written import written_values
from marketing.core.tenancy import tenant_scope
from marketing.delivery.links.agents import TOO_SOON, Visitor
from marketing.delivery.links.codes import Reference, UnknownCode, read_code
from marketing.delivery.links.utm import slug, with_utm
from marketing.delivery.models import Engagement, SendRun, TrackedLink
from marketing.policy.models import MarketingConfig

# Nobody reads a message and presses a link so soon after it left.
HUMAN_DELAY = dt.timedelta(seconds=2)

# Written out, because a campaign's clicks come by the hundred a second. The settings come straight
# from the database: a link works while the cache is away.
FIND = """
SELECT t.name, t.languages[1], t.is_active, c.id IS NOT NULL, c.website, c.link_days, c.add_utm,
       m.id, m.customer_id, m.run_id, m.kind, m.address, m.language, m.variables,
       coalesce(m.sent_at, m.sending_at), m.created_at, r.label
FROM core_tenant t
LEFT JOIN policy_marketingconfig c ON c.tenant_id = t.id
LEFT JOIN delivery_message m ON m.id BETWEEN %s AND %s AND m.tenant_id = t.id
LEFT JOIN delivery_sendrun r ON r.id = m.run_id
WHERE t.id = %s
"""
# Nobody opens a message and follows its links so often: what comes after is only counted, as a
# machine's, so that none can fill the table.
MOST_KEPT = 50
NOTE = """
INSERT INTO delivery_engagement
    (tenant_id, kind, message_id, customer_id, run_id, link_id, machine, agent)
SELECT %(tenant)s, %(kind)s, %(message)s, %(customer)s, %(run)s, %(link)s, %(machine)s, %(agent)s
WHERE %(most)s > (
    SELECT count(*) FROM (
        SELECT FROM delivery_engagement e
        WHERE e.customer_id = %(customer)s AND e.id >= %(message)s AND e.message_id = %(message)s
        LIMIT %(most)s) kept)
"""
COUNT_ONLY = """
INSERT INTO delivery_linkcount AS c (tenant_id, run_id, link_id, kind, machine_times)
VALUES (%(tenant)s, %(run)s, %(link)s, %(kind)s, 1)
ON CONFLICT (run_id, link_id) DO UPDATE SET machine_times = c.machine_times + 1
"""


class Addressed(NamedTuple):
    """What a link needs to know of its message; `message_id` is None when that is gone."""

    chain: str
    chain_language: str
    is_active: bool
    has_settings: bool
    website: str
    link_days: int | None
    add_utm: bool
    message_id: uuid.UUID | None
    customer_id: uuid.UUID
    run_id: uuid.UUID
    kind: str
    address: str
    language: str
    variables: str
    left_at: dt.datetime | None
    made_at: dt.datetime
    label: str | None


@dataclass(frozen=True)
class Lead:
    """Where a link leads; without `url` it is over, and the chain's `website` may do instead."""

    url: str
    chain: str
    website: str
    language: str


def follow(code: str, visitor: Visitor) -> Lead:
    """Note that the link was followed, and say where it leads. Raises `UnknownCode`.

    It is over when its message is gone, or older than the chain lets links lead on, or when
    its person was erased and the link needs what was known of them.
    """
    reference, link = _read(code, picture=False)
    with tenant_scope(link.tenant_id):
        found = _find(reference, link)
        url = ""
        if found.message_id and found.is_active and not _is_over(found):
            url = _destination(link, found)
        if url:
            _note(Engagement.Kind.CLICK, link, found, visitor)
            if found.add_utm:
                url = with_utm(url, _utm(link, found))
    language = found.language if found.message_id else found.chain_language
    return Lead(iri_to_uri(url), found.chain, found.website, language)


def note_opening(code: str, visitor: Visitor) -> None:
    """Note that an e-mail's picture was loaded. Raises `UnknownCode`."""
    reference, link = _read(code, picture=True)
    with tenant_scope(link.tenant_id):
        found = _find(reference, link)
        if found.message_id:
            _note(Engagement.Kind.OPEN, link, found, visitor)


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


def _find(reference: Reference, link: TrackedLink) -> Addressed:
    """In the link's tenant scope."""
    with connection.cursor() as cursor:
        cursor.execute(FIND, [*reference.id_range, link.tenant_id])
        rows = [Addressed(*row) for row in cursor.fetchall()]
    named = [row for row in rows if row.message_id and reference.names(row.message_id)]
    found = named[0] if named else rows[0]._replace(message_id=None)
    if found.has_settings:
        return found
    usual = MarketingConfig()
    return found._replace(website=usual.website, link_days=usual.link_days, add_utm=usual.add_utm)


def _is_over(found: Addressed) -> bool:
    age = timezone.now() - found.made_at
    return found.link_days is not None and age > dt.timedelta(days=found.link_days)


def _destination(link: TrackedLink, found: Addressed) -> str:
    """The author's link with the person's values, which stand behind its host only."""
    written = _read_source(link.source)
    values = written_values(written.names, json.loads(found.variables), found.language)
    if any(values[name] is None for name in written.required):
        return ""
    return written.render(values)


@lru_cache(maxsize=4096)
def _read_source(source: str) -> markup.Markup:
    return markup.parse(source)


def _utm(link: TrackedLink, found: Addressed) -> dict[str, str]:
    return {
        "utm_source": "parlour",
        "utm_medium": link.channel,
        "utm_campaign": slug(found.label or "") or found.kind,
        "utm_content": slug(link.content),
    }


def _note(kind: str, link: TrackedLink, found: Addressed, visitor: Visitor) -> None:
    """Erased people and tests on a staff phone leave no trace."""
    if found.kind == SendRun.Kind.TEST or not found.address:
        return
    is_too_soon = found.left_at is not None and timezone.now() - found.left_at < HUMAN_DELAY
    noted: dict[str, Any] = {
        "tenant": link.tenant_id,
        "kind": kind,
        "message": found.message_id,
        "customer": found.customer_id,
        "run": found.run_id,
        "link": link.pk,
        "machine": visitor.machine or (TOO_SOON if is_too_soon else ""),
        "agent": visitor.family,
        "most": MOST_KEPT,
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE, noted)
        if not cursor.rowcount:
            cursor.execute(COUNT_ONLY, noted)
