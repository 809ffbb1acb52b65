"""What is known of the links in a message: found out by a task, kept for a day."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.core.cache import cache

from marketing.content import markup, merge_fields
from marketing.content.link_check import Finding, Outcome
from marketing.content.links import written_links
from marketing.content.models import TemplateVersion
from marketing.core.tenancy import current_tenant_id

KEPT = 24 * 60 * 60
ASKED = 60
CHECKING = "checking"
# More in one message is nobody's message.
MOST = 20


@dataclass(frozen=True)
class LinkState:
    """A link as its author wrote it, and what was found; `finding` None: not asked, or not yet."""

    link: str
    finding: Finding | None = None
    is_checking: bool = False

    @property
    def is_secure(self) -> bool:
        return self.link.lower().startswith("https://")


def states_of(version: TemplateVersion) -> list[LinkState]:
    """The version's links in order, each with what is known of it. In the open tenant scope."""
    links = written_links(version.contents)[:MOST]
    known = cache.get_many([_key(link) for link in links])
    return [_state(link, known.get(_key(link))) for link in links]


def begin(links: Iterable[str]) -> list[str]:
    """Note that the links are being checked; returns those that were not already."""
    return [link for link in links if cache.add(_key(link), CHECKING, ASKED) or _again(link)]


def keep(link: str, finding: Finding) -> None:
    cache.set(_key(link), asdict(finding), KEPT)


def as_asked(link: str) -> str:
    """The link with sample values where it has merge fields."""
    read = markup.parse(link)
    return read.render(merge_fields.samples(read.names))


def _again(link: str) -> bool:
    """A link that was judged before may be judged again."""
    if cache.get(_key(link)) == CHECKING:
        return False
    cache.set(_key(link), CHECKING, ASKED)
    return True


def _state(link: str, known: object) -> LinkState:
    if isinstance(known, dict):
        outcome = Outcome(known["outcome"])
        return LinkState(link, Finding(outcome, known["status"], known["leads_to"]))
    return LinkState(link, is_checking=known == CHECKING)


def _key(link: str) -> str:
    return f"link:{current_tenant_id()}:{hashlib.sha256(link.encode()).hexdigest()}"
