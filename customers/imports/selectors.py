"""Imports to look at: an actor sees those of people who have no branch beyond her own."""

import uuid

from django.db.models import Q, QuerySet

from customers.models import ImportJob, ImportRow
from marketing.core.actor import Actor
from marketing.core.errors import NotFound


def imports_for_actor(actor: Actor) -> QuerySet[ImportJob]:
    """Newest first; all of them for whoever has every branch."""
    jobs = ImportJob.objects.select_related("started_by").order_by("-id")
    if actor.branch_ids is None:
        return jobs
    within = Q(branch_ids__contained_by=sorted(actor.branch_ids), branch_ids__isnull=False)
    return jobs.filter(within)


def get_import_for_actor(actor: Actor, pk: uuid.UUID) -> ImportJob:
    job = imports_for_actor(actor).filter(pk=pk).first()
    if job is None:
        raise NotFound()
    return job


def lines_with_problems(job: ImportJob) -> QuerySet[ImportRow]:
    """The lines that were not taken, or not wholly, in the order of the file."""
    return ImportRow.objects.filter(job=job).exclude(problems=[]).order_by("line")
