"""What people change about webhooks: have requests applied again, teach own keywords."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.core.tenancy import current_tenant_id
from marketing.delivery.models import ExtraKeyword, WebhookEvent
from marketing.delivery.tasks import nudge_consumer
from marketing.delivery.webhooks.keywords import LONGEST, MEANINGS
from marketing.delivery.webhooks.overview import TROUBLE
from marketing.policy.models import ProviderAccount


@transaction.atomic
def replay_request(*, actor: Actor, event: WebhookEvent) -> None:
    """Apply the request once more; what it said before changes nothing."""
    actor.require("config.change")
    _wait_again(WebhookEvent.objects.filter(pk=event.pk))
    audit.record(actor, "webhook.replay", event)


@transaction.atomic
def replay_troubled(*, actor: Actor, account: ProviderAccount) -> int:
    """Apply the account's unreadable and unmatched requests again; returns how many."""
    actor.require("config.change")
    count = _wait_again(WebhookEvent.objects.filter(account_id=account.pk, state__in=TROUBLE))
    audit.record(actor, "webhook.replay", account, {"requests": count})
    return count


def _wait_again(events: QuerySet[WebhookEvent]) -> int:
    count = events.update(
        state=WebhookEvent.State.WAITING, applied_at=None, next_at=clock.now(), error=""
    )
    transaction.on_commit(nudge_consumer)
    return count


@transaction.atomic
def save_keywords(*, actor: Actor, words: Mapping[str, Sequence[str]]) -> None:
    """Replace the chain's own words, normalised, by meaning: stop, start, help.

    Raises `ValidationFailed` for a word that means something else already, or is too long.
    """
    actor.require("config.change")
    meanings: dict[str, str] = {}
    faults: dict[str, list[str]] = {}
    for keyword, given in words.items():
        for word in given:
            other = MEANINGS.get(word) or meanings.get(word)
            if len(word) > LONGEST:
                faults[keyword] = [_("A word has at most 50 characters.")]
            elif other and other != keyword:
                faults[keyword] = [_("“%(word)s” means something else.") % {"word": word}]
            elif not other:
                meanings[word] = keyword
    if faults:
        raise ValidationFailed(fields=faults)
    before = {row.word: row.keyword for row in ExtraKeyword.objects.select_for_update()}
    if meanings == before:
        return
    ExtraKeyword.objects.all().delete()
    rows = ExtraKeyword.objects.bulk_create(
        ExtraKeyword(word=word, keyword=keyword) for word, keyword in meanings.items()
    )
    target = rows[0] if rows else ExtraKeyword(tenant_id=current_tenant_id())
    audit.record(actor, "keywords.update", target, {"words": [before, meanings]})
