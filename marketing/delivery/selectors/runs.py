"""Whose runs an actor may decide about."""

import datetime as dt
import uuid

from django.db.models import QuerySet

from marketing.core import clock
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.delivery.models import SendRun

# How long what failed is shown and may be sent again.
FAILURES_SHOWN = dt.timedelta(days=30)


def runs_for_actor(actor: Actor) -> QuerySet[SendRun]:
    """Runs whose branches are all the actor's; those of the whole chain need every branch."""
    runs = SendRun.objects.exclude(kind=SendRun.Kind.TEST)
    if actor.branch_ids is not None:
        runs = runs.filter(branch_ids__contained_by=list(actor.branch_ids))
    return runs if actor.can("campaign.send") else runs.none()


def get_run_for_actor(actor: Actor, pk: uuid.UUID) -> SendRun:
    """Raises `NotFound` also for a run of branches that are not the actor's."""
    run = runs_for_actor(actor).filter(pk=pk).first()
    if run is None:
        raise NotFound()
    return run


def recent_runs(actor: Actor) -> QuerySet[SendRun]:
    """The actor's runs of the last 30 days, newest first."""
    since = clock.now() - FAILURES_SHOWN
    return runs_for_actor(actor).filter(frozen_at__gte=since).order_by("-frozen_at")
