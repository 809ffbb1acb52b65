"""Which message tells what of a referral."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from customers.models import Channel
from marketing.content.selectors import current_versions
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import ValidationFailed
from marketing.referrals.models import NoticeKind, NoticeTemplate, ReferralProgramme
from marketing.referrals.selectors import chosen_notices, fits_notices
from marketing.referrals.services.programme import ensure_programme, update_programme

Chosen = Mapping[tuple[str, str], uuid.UUID | None]


@transaction.atomic
def configure(
    *, actor: Actor, values: Mapping[str, Any], chosen: Chosen, version: int | None = None
) -> ReferralProgramme:
    """`update_programme` and `choose_notices` in one: both are changed, or nothing is."""
    update_programme(actor=actor, values=values, version=version)
    if chosen:
        choose_notices(actor=actor, chosen=chosen)
    return ReferralProgramme.objects.get()


@transaction.atomic
def choose_notices(*, actor: Actor, chosen: Chosen) -> dict[tuple[str, str], NoticeTemplate]:
    """Let these messages tell the notices, by kind and channel; None: none does.

    What is not named stays. A kind that had none is told from now on, not of what was before.
    Raises `ValidationFailed` at `notice_<kind>_<channel>`.
    """
    actor.require("referral.config")
    ensure_programme()
    programme = ReferralProgramme.objects.select_for_update().get()
    kept = chosen_notices()
    wanted = {
        place: template_id
        for place, template_id in chosen.items()
        if template_id != (kept[place].template_id if place in kept else None)
    }
    _check(wanted)
    if not wanted:
        return kept
    since = {kind: row.since for (kind, _channel), row in kept.items()}
    for (kind, channel), template_id in wanted.items():
        if template_id is None:
            NoticeTemplate.objects.filter(kind=kind, channel=channel).delete()
            continue
        NoticeTemplate.objects.update_or_create(
            kind=kind,
            channel=channel,
            defaults={"template_id": template_id},
            create_defaults={
                "template_id": template_id,
                "since": since.get(kind, clock.now()),
            },
        )
    ReferralProgramme.objects.filter(pk=programme.pk).update(version=F("version") + 1)
    changes = {f"{kind} {channel}": pk and str(pk) for (kind, channel), pk in wanted.items()}
    audit.record(actor, "referral.choose_notices", programme, changes)
    return chosen_notices()


def _check(wanted: Chosen) -> None:
    versions = current_versions([pk for pk in wanted.values() if pk is not None])
    faults: dict[str, list[str]] = {}
    for (kind, channel), template_id in wanted.items():
        if kind not in NoticeKind.values or channel not in Channel.values:
            raise KeyError((kind, channel))
        if template_id is None:
            continue
        version = versions.get(template_id)
        if version is None or not version.template.is_active:
            fault = _("This message is no longer in use.")
        elif version.template.channel != channel:
            fault = _("This message is for another channel.")
        elif not fits_notices(version):
            fault = _("This message needs what only a campaign gives it. Choose another.")
        else:
            continue
        faults[f"notice_{kind}_{channel}"] = [fault]
    if faults:
        raise ValidationFailed(fields=faults)
