"""What a chain changes in its festival calendar: days of its own, true days, what it leaves out."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from marketing.campaigns.festivals import BY_KEY, known_days
from marketing.campaigns.models import Festival
from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import NotFound, ValidationFailed
from marketing.core.tenancy import current_tenant


@transaction.atomic
def add_festival(
    *, actor: Actor, name: str, day: dt.date, name_hi: str = "", is_yearly: bool = False
) -> Festival:
    """A day of the chain's own, such as its anniversary sale."""
    actor.require("config.change")
    if not name.strip():
        raise ValidationFailed(fields={"name": [_("Give the day a name.")]})
    festival = Festival.objects.create(
        name=name.strip(), name_hi=name_hi.strip(), day=day, is_yearly=is_yearly
    )
    audit.record(actor, "festival.add", festival, {"name": festival.name, "day": day})
    return festival


@transaction.atomic
def remove_festival(*, actor: Actor, festival: Festival) -> None:
    """Take a day of the chain's own away."""
    actor.require("config.change")
    audit.record(actor, "festival.remove", festival, {"name": festival.name})
    festival.delete()


@transaction.atomic
def move_festival(*, actor: Actor, known: str, day: dt.date) -> None:
    """Say on which day a known festival really is in that year; the computed day undoes it.

    Raises `NotFound` for a festival that nobody keeps in this year and country.
    """
    actor.require("config.change")
    computed = [
        each.day
        for each in known_days(current_tenant().country, day.year)
        if each.known.key == known
    ]
    if not computed:
        raise NotFound()
    correction = Festival.objects.filter(known=known, year=day.year)
    if day in computed:
        correction.delete()
    else:
        Festival.objects.update_or_create(known=known, year=day.year, defaults={"day": day})
    audit.record(
        actor, "festival.move", current_tenant(), {"name": str(BY_KEY[known].name), "day": day}
    )


@transaction.atomic
def keep_festival(*, actor: Actor, known: str, is_kept: bool) -> None:
    """Leave a known festival out of the calendar in every year, or take it in again."""
    actor.require("config.change")
    if known not in BY_KEY:
        raise NotFound()
    if is_kept:
        Festival.objects.filter(known=known, year=None).delete()
    else:
        Festival.objects.get_or_create(known=known, year=None)
    act = "festival.keep" if is_kept else "festival.leave_out"
    audit.record(actor, act, current_tenant(), {"name": str(BY_KEY[known].name)})
