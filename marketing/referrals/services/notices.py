"""Both are told: she signed up, she came, the reward is there. Each once, as she prefers."""

import datetime as dt
import logging
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import translation
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from customers.models import Channel, Customer
from customers.services.standing import standing_ids
from marketing.content import selectors as content
from marketing.content.models import TemplateVersion, WhatsAppStatus
from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import BudgetExceeded, DomainError
from marketing.core.tenancy import current_tenant, current_tenant_id
from marketing.delivery import compliance
from marketing.delivery import services as delivery
from marketing.delivery.models import SendRun
from marketing.delivery.selectors import BUDGET
from marketing.policy import selectors as policy
from marketing.policy.models import ProviderAccount
from marketing.policy.rules import PROMOTIONAL, SERVICE, TRANSACTIONAL, purpose_of
from marketing.referrals import rules
from marketing.referrals.merge_fields import FRIEND, NOTICE_FIELDS, REFERRER, REWARD
from marketing.referrals.models import (
    NoticeKind,
    NoticeTemplate,
    Referral,
    ReferralNotice,
    ReferralProgramme,
    RewardType,
)
from marketing.referrals.selectors import fits_notices, reward_words

logger = logging.getLogger(__name__)

AT_ONCE = 500
# So long the first channel has to arrive before the next is tried.
MINUTES = 60
# The indexes of who signed up, of what is held and of what is rewarded bound these. Who had her
# discount on her first bill has seen it there.
JOINED = "state = 'attributed' AND attributed_at >= greatest(%(since)s, %(fresh)s)"
CAME = """state IN ('qualified', 'held') AND NOT is_flagged
    AND converted_at >= %(since)s AND greatest(converted_at, reviewed_at) >= %(fresh)s"""
WHEN = {
    NoticeKind.JOINED: JOINED,
    NoticeKind.FRIEND_JOINED: f"friend_id IS NOT NULL AND {JOINED}",
    NoticeKind.CAME: CAME,
    NoticeKind.FRIEND_CAME: f"friend_id IS NOT NULL AND {CAME}",
    NoticeKind.REWARDED: """state = 'rewarded'
        AND referrer_reward_at >= greatest(%(since)s, %(fresh)s)""",
    NoticeKind.FRIEND: """state = 'rewarded' AND friend_id IS NOT NULL
        AND referrer_reward_at >= greatest(%(since)s, %(fresh)s)
        AND friend_reward_at = referrer_reward_at""",
}
# Whoever gives it back or takes it away this moment is asked again in the next round.
LOCK = "FOR UPDATE SKIP LOCKED"
DUE = """
SELECT id FROM referrals_referral referral
WHERE tenant_id = %(tenant)s AND {when} AND NOT EXISTS (
    SELECT FROM referrals_referralnotice told
    WHERE told.tenant_id = %(tenant)s AND told.referral_id = referral.id AND told.kind = %(kind)s
)
ORDER BY id LIMIT %(most)s {lock}
"""
CLAIM = """
INSERT INTO referrals_referralnotice (tenant_id, referral_id, kind, customer_id, lot, said, at)
SELECT %(tenant)s, due.referral_id, %(kind)s, due.customer_id, %(lot)s, due.said, %(now)s
FROM unnest(%(referrals)s::uuid[], %(customers)s::uuid[], %(said)s::jsonb[])
    AS due (referral_id, customer_id, said)
"""
ONCE = " ON CONFLICT DO NOTHING"


@transaction.atomic
def give_notices() -> int:
    """Hand to delivery what is due, one run for each kind; how many people it is for.

    A person has one notice of a kind in a run, what else she is to be told follows in the next.
    What cannot go now (no account that sends, no approved message, no budget) is tried again, and
    after three days it is no news any more. The gate decides who gets it, as of every message.
    """
    chosen: dict[str, list[NoticeTemplate]] = defaultdict(list)
    for row in NoticeTemplate.objects.order_by("pk"):
        chosen[row.kind].append(row)
    given = 0
    for kind, choices in sorted(chosen.items()):
        try:
            with transaction.atomic():
                given += _give(NoticeKind(kind), choices)
        except DomainError as error:
            logger.warning("notices of referrals wait: %s", error)
    return given


def take_back_notices(referral_ids: Collection[uuid.UUID]) -> None:
    """Nothing is due any more: what was not sent yet does not go."""
    notices = ReferralNotice.objects.filter(referral__in=referral_ids, run__isnull=False)
    asked = list(notices.order_by("pk").values_list("run_id", "customer_id"))
    delivery.withdraw_messages(asked=asked)


def carry_notices(of: Referral, to: Referral) -> None:
    """Who was told that the friend signed up is not told it again of the row that goes on."""
    told = ReferralNotice.objects.filter(
        referral=of, kind__in=[NoticeKind.JOINED, NoticeKind.FRIEND_JOINED]
    )
    ReferralNotice.objects.bulk_create(
        ReferralNotice(
            referral=to, kind=row.kind, customer_id=row.customer_id, lot=row.lot, said=row.said
        )
        for row in told.order_by("pk")
    )


@transaction.atomic
def mind_notices() -> None:
    """Runs that wait for money go on when it is there; what waited for three days goes no more."""
    theirs = ReferralNotice.objects.filter(run=OuterRef("pk"))
    paused = SendRun.objects.filter(Exists(theirs), state=SendRun.State.PAUSED)
    for run in paused.order_by("pk"):
        if (run.frozen_at or run.created_at) < clock.now() - rules.NEWS_LASTS:
            delivery.cancel_run(run=run)
        elif run.pause_reason == BUDGET:
            try:
                with transaction.atomic():
                    delivery.resume_run(run=run)
            except BudgetExceeded:
                continue


def _give(kind: NoticeKind, choices: Sequence[NoticeTemplate]) -> int:
    now = clock.now()
    due = _due(kind, min(choice.since for choice in choices), now)
    versions = _sendable(choices) if due else []
    if not versions:
        return 0
    told = _whom(kind, due)
    lot = uuid.uuid4()
    people = _claim(kind, lot, told, now)
    if not people:
        return 0
    run = delivery.create_run(
        actor=Actor.system(current_tenant_id()),
        kind=SendRun.Kind.TRIGGER,
        purpose=_purpose(versions),
        mode=SendRun.Mode.CASCADE if len(versions) > 1 else SendRun.Mode.SINGLE,
        steps=[_step(number, version, lot) for number, version in enumerate(versions)],
        label=str(kind.label),
    )
    ReferralNotice.objects.filter(customer__in=people, lot=lot).update(run=run)
    delivery.freeze_run(run=run, audience=Customer.objects.filter(pk__in=people))
    return len(people)


def _due(kind: NoticeKind, since: dt.datetime, now: dt.datetime) -> list[Referral]:
    with connection.cursor() as cursor:
        cursor.execute(
            DUE.format(when=WHEN[kind], lock=LOCK),
            {
                "tenant": current_tenant_id(),
                "kind": kind.value,
                "since": since,
                "fresh": now - rules.NEWS_LASTS,
                "most": AT_ONCE,
            },
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    rows = Referral.objects.select_related("referrer", "friend", "referrer_reward_code")
    return list(rows.filter(pk__in=ids).order_by("pk")) if ids else []


def _sendable(choices: Sequence[NoticeTemplate]) -> list[TemplateVersion]:
    """The newest versions that can go now, in the channels' order."""
    accounts = {row.channel: row for row in policy.default_accounts() if not row.circuit_reason}
    current = content.current_versions([choice.template_id for choice in choices])
    order = {channel: place for place, channel in enumerate(Channel.values)}
    found = [
        version
        for version in current.values()
        if _can_go(version, accounts.get(version.template.channel))
    ]
    return sorted(found, key=lambda version: order[version.template.channel])


def _can_go(version: TemplateVersion, account: ProviderAccount | None) -> bool:
    template = version.template
    if account is None or not template.is_active or not fits_notices(version):
        return False
    is_whatsapp = template.channel == Channel.WHATSAPP
    if is_whatsapp and version.whatsapp_status != WhatsAppStatus.APPROVED:
        return False
    try:
        compliance.require_compliant(
            version=version,
            account=account,
            country=current_tenant().country,
            purpose=_purpose([version]),
        )
    except DomainError:
        return False
    return True


def _purpose(versions: Sequence[TemplateVersion]) -> str:
    """The one that asks most of all that may be sent."""
    asked = {purpose_of(row.template.template_type, row.template.trigger_type) for row in versions}
    return next(each for each in (PROMOTIONAL, SERVICE, TRANSACTIONAL) if each in asked)


def _step(number: int, version: TemplateVersion, lot: uuid.UUID) -> dict[str, Any]:
    named = [name for name in version.placeholders if name in NOTICE_FIELDS]
    return {
        "channel": version.template.channel,
        "versionId": str(version.pk),
        "afterMinutes": MINUTES if number else 0,
        "personal": dict.fromkeys(named, str(lot)),
    }


def _whom(
    kind: NoticeKind, due: Sequence[Referral]
) -> dict[uuid.UUID, tuple[uuid.UUID, dict[str, str]]]:
    """By who stands for the person now: the referral she is told of, and what is said of it."""
    of = "friend" if kind in rules.TO_FRIEND else "referrer"
    standing = standing_ids(sorted({getattr(row, f"{of}_id") for row in due}))
    people = Customer.objects.exclude(status=Customer.Status.ERASED).in_bulk(
        list(standing.values())
    )
    services = ReferralProgramme.objects.select_related(
        "referrer_reward_service", "referred_reward_service"
    ).get()
    told: dict[uuid.UUID, tuple[uuid.UUID, dict[str, str]]] = {}
    for row in due:
        person = people.get(standing[getattr(row, f"{of}_id")])
        if person is not None and person.pk not in told:
            told[person.pk] = (row.pk, _said(kind, row, person.language, services))
    return told


def _said(
    kind: NoticeKind, row: Referral, language: str, programme: ReferralProgramme
) -> dict[str, str]:
    with translation.override(language if language in ("en", "hi") else "en"):
        if kind in rules.TO_FRIEND:
            reward = reward_words(
                row.friend_reward_type,
                row.friend_reward_value,
                programme.referred_reward_service,
            )
        else:
            reward = _of_referrer(kind, row, programme)
    return {
        FRIEND: row.friend.first_name if row.friend else "",
        REFERRER: row.referrer.first_name,
        REWARD: reward,
    }


def _of_referrer(kind: NoticeKind, row: Referral, programme: ReferralProgramme) -> str:
    """Her reward, with its code once she has it; so short that an SMS in India has room for it."""
    words = reward_words(
        row.referrer_reward_type, row.referrer_reward_value, programme.referrer_reward_service
    )
    if kind != NoticeKind.REWARDED or row.referrer_reward_type == RewardType.POINTS:
        return words
    code = row.referrer_reward_code.code if row.referrer_reward_code else ""
    if not code:
        return ""
    long = _("%(reward)s, code %(code)s") % {"reward": words, "code": code}
    return long if len(long) <= compliance.VARIABLE_LENGTH else code


def _claim(
    kind: NoticeKind,
    lot: uuid.UUID,
    told: Mapping[uuid.UUID, tuple[uuid.UUID, Mapping[str, str]]],
    now: dt.datetime,
) -> list[uuid.UUID]:
    """Write down that they are told; those who were not told of it before, in another round."""
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM + ONCE + " RETURNING customer_id",
            {
                "tenant": current_tenant_id(),
                "kind": kind.value,
                "lot": lot,
                "now": now,
                "referrals": [referral_id for referral_id, _said in told.values()],
                "customers": list(told),
                "said": [Jsonb(said) for _referral_id, said in told.values()],
            },
        )
        return [pk for (pk,) in cursor.fetchall()]
