"""Telling staff what happened, in the page header and by e-mail."""

import datetime as dt
import logging
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from marketing.core import clock, news
from marketing.core.actor import Actor, with_reach
from marketing.core.ids import lower_bound
from marketing.core.models import Staff, StaffNotification
from marketing.core.nudge import nudge
from marketing.core.tasks import mail_notifications
from marketing.core.tenancy import current_tenant

logger = logging.getLogger(__name__)

KEPT = dt.timedelta(days=90)
BATCH = 50
# Whoever takes a mail has so long to send it before another tries; it doubles with each attempt.
LEASE = dt.timedelta(minutes=5)
MOST_ATTEMPTS = 6


@transaction.atomic
def notify(
    kind: str,
    *,
    staff_ids: Collection[uuid.UUID],
    key: str,
    facts: Mapping[str, Any],
    target_id: uuid.UUID | None = None,
) -> int:
    """Tell active staff the news, in the caller's transaction; how many were to be told.

    `kind` and `key` name the news: who is told it again is told nothing. An e-mail follows for
    those who want it.
    """
    if news.kind_of(kind) is None:
        raise KeyError(kind)
    now = clock.now()
    people = Staff.objects.filter(pk__in=staff_ids, is_active=True).order_by("pk")
    rows = [
        StaffNotification(
            staff=person,
            kind=kind,
            key=key,
            target_id=target_id,
            facts=dict(facts),
            email_after=now if person.notify_by_email and person.email else None,
        )
        for person in people
    ]
    StaffNotification.objects.bulk_create(rows, ignore_conflicts=True)
    if any(row.email_after for row in rows):
        transaction.on_commit(lambda: nudge(mail_notifications))
    return len(rows)


@transaction.atomic
def settle(kind: str, *, target_id: uuid.UUID) -> int:
    """Put away what is no longer so for anybody: read, and no e-mail any more. How many."""
    return _put_away(StaffNotification.objects.filter(kind=kind, target_id=target_id))


def _put_away(notifications: QuerySet[StaffNotification]) -> int:
    """Make them read, locked in id order like everything that is locked together."""
    unread = notifications.filter(read_at=None).order_by("pk").select_for_update()
    ids = list(unread.values_list("pk", flat=True))
    found = StaffNotification.objects.filter(pk__in=ids)
    return found.update(read_at=clock.now(), email_after=None) if ids else 0


def mark_read(*, actor: Actor, notification_id: uuid.UUID) -> StaffNotification:
    """The actor has seen it. Raises `NotFound` for anybody else's."""
    found = news.get_notification(actor, notification_id)
    if found.read_at is None:
        found.read_at, found.email_after = clock.now(), None
        found.save(update_fields=["read_at", "email_after"])
    return found


@transaction.atomic
def mark_all_read(*, actor: Actor) -> int:
    """The actor has seen everything; how many that was."""
    return _put_away(news.notifications_of(actor))


def forget_old() -> int:
    """Delete the open tenant's news of more than 90 days ago; how many."""
    old = StaffNotification.objects.filter(pk__lt=lower_bound(clock.now() - KEPT))
    return old.delete()[0]


@dataclass(frozen=True)
class Mail:
    """One e-mail that is due, ready to be sent outside any transaction."""

    notification_id: uuid.UUID
    to: str
    subject: str
    text: str


@transaction.atomic
def take_mails() -> list[Mail]:
    """Some of the open tenant's e-mails that are due, leased to the caller.

    Who was told in the meantime, left, wants none, or may no longer look at what it is about gets
    none. A caller that dies leaves them to be tried again after the lease; so does one whose
    mail server refuses.
    """
    now = clock.now()
    due = (
        StaffNotification.objects.filter(email_after__lte=now)
        .select_related("staff")
        .order_by("email_after", "pk")
        .select_for_update(skip_locked=True, of=("self",))[:BATCH]
    )
    hidden = _out_of_sight(due)
    taken, dropped = [], []
    for row in due:
        person = row.staff
        wanted = person.is_active and person.notify_by_email and person.email
        is_over = row.read_at is not None or row.pk in hidden
        if is_over or not wanted or row.email_attempts >= MOST_ATTEMPTS:
            dropped.append(row.pk)
            continue
        row.email_after = now + LEASE * 2**row.email_attempts
        row.email_attempts += 1
        taken.append(row)
    StaffNotification.objects.filter(pk__in=dropped).update(email_after=None)
    StaffNotification.objects.bulk_update(taken, ["email_after", "email_attempts"])
    return [_mail(row) for row in taken]


def _out_of_sight(rows: Iterable[StaffNotification]) -> set[uuid.UUID]:
    by_person = defaultdict(list)
    for row in rows:
        by_person[row.staff_id].append(row)
    people = with_reach(Staff.objects.filter(pk__in=by_person).select_related("user"))
    return set().union(
        *(news.out_of_sight(Actor.for_staff(each), by_person[each.pk]) for each in people)
    )


def _mail(row: StaffNotification) -> Mail:
    """The news in the person's own language."""
    tenant = current_tenant()
    known = [code for code, _name in settings.LANGUAGES]
    preferred = [row.staff.language, *tenant.languages, settings.LANGUAGE_CODE]
    language = next(code for code in preferred if code in known)
    with translation.override(language), timezone.override(tenant.time_zone):
        shown = news.told(row)
        text = render_to_string(
            "account/notification_mail.txt",
            {
                "told": shown,
                "staff": row.staff,
                "tenant": tenant,
                "link": settings.PUBLIC_BASE_URL + reverse("notification-open", args=[row.pk]),
                "own_page": settings.PUBLIC_BASE_URL + reverse("own-page"),
            },
        )
    return Mail(row.pk, row.staff.email, " ".join(shown.title.split()), text.strip() + "\n")


def send_mails(mails: Sequence[Mail]) -> list[uuid.UUID]:
    """Send them, outside any transaction; the ids of those that the mail server took."""
    sent = []
    try:
        with get_connection() as connection:
            for mail in mails:
                if _send(connection, mail):
                    sent.append(mail.notification_id)
    except (OSError, SMTPException) as error:
        logger.warning("the mail server is away: %s", error)
    return sent


def _send(connection: BaseEmailBackend, mail: Mail) -> bool:
    """Whether it was taken. A repeat carries the same id, so that a reader shows it once."""
    message = EmailMessage(
        mail.subject,
        mail.text,
        to=[mail.to],
        headers={"Message-ID": f"<{mail.notification_id}@parlour>"},
        connection=connection,
    )
    try:
        return message.send() == 1
    except (OSError, SMTPException) as error:
        logger.warning("mail %s was not taken: %s", mail.notification_id, error)
        return False


def note_sent(ids: Collection[uuid.UUID]) -> None:
    """The mail server took these: they are not sent again."""
    StaffNotification.objects.filter(pk__in=ids).update(emailed_at=clock.now(), email_after=None)
