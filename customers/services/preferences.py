"""What a person sets on her preference page."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import ConsentState, Customer, MessageTopic, TopicRefusal
from customers.services.consent import record_consent
from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed

WEEKLY_LIMITS = (None, 1, 2, 3)


@transaction.atomic
def put_preferences(
    *,
    actor: Actor,
    customer: Customer,
    consent: Mapping[str, bool | str],
    refused_topics: Collection[uuid.UUID],
    weekly_limit: int | None,
    source: str,
    **evidence: Any,
) -> None:
    """Record all that the page shows: consent as `record_consent` takes it, topics, how often.

    `refused_topics` are ids of the chain's topics; the rest she wants to hear of. Raises
    `ValidationFailed`, and `Conflict` when the customer was erased.
    """
    if weekly_limit not in WEEKLY_LIMITS:
        raise ValidationFailed(fields={"weekly_limit": [_("Choose one of the list.")]})
    offered = set(MessageTopic.objects.filter(is_active=True).values_list("pk", flat=True))
    if not offered.issuperset(refused_topics):
        raise ValidationFailed(fields={"topics": [_("Choose one of the list.")]})
    state = record_consent(
        actor=actor, customer=customer, changes=consent, source=source, **evidence
    )
    changes: dict[str, Any] = {}
    if state.weekly_limit != weekly_limit:
        changes["weekly_limit"] = [state.weekly_limit, weekly_limit]
        ConsentState.objects.filter(pk=state.pk).update(weekly_limit=weekly_limit)
    changes |= _refuse(state.customer, offered, set(refused_topics))
    if changes:
        audit.record(actor, "customer.preferences", state.customer, changes | {"source": source})


def _refuse(
    customer: Customer, offered: set[uuid.UUID], refused: set[uuid.UUID]
) -> dict[str, list[list[str]]]:
    known = TopicRefusal.objects.filter(customer=customer, topic__in=offered)
    before = set(known.values_list("topic_id", flat=True))
    if before == refused:
        return {}
    known.exclude(topic__in=refused).delete()
    TopicRefusal.objects.bulk_create(
        TopicRefusal(customer=customer, topic_id=pk) for pk in sorted(refused - before)
    )
    return {"refused_topics": [sorted(map(str, before)), sorted(map(str, refused))]}
