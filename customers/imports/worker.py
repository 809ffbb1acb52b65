"""The work of an import: chunk after chunk, each a transaction that moves the job's marker.

A worker that dies loses its chunk and nothing else: its lease ends, the sweep wakes another,
which goes on behind the marker.
"""

import datetime as dt
import logging
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from django.db import OperationalError, connection
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from customers import selectors
from customers.imports import matching, repeats, storage, writing
from customers.imports.consents import Evidence, take_consents
from customers.imports.limits import UnreadableFile
from customers.imports.reading import Line, read_lines
from customers.imports.refusals import note_refusals, note_refusals_of_the_file
from customers.imports.validation import Judge, Setting
from customers.models import ImportJob, ImportPart, ImportRow
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant, tenant_scope

logger = logging.getLogger(__name__)

State = ImportJob.State
CHUNK = 5_000
LEASE = dt.timedelta(seconds=60)
# A worker lets others take turns after so long.
SLICE_SECONDS = 45.0
KEEP_ERRORS = dt.timedelta(days=30)
KEEP_UNFINISHED = dt.timedelta(days=7)
RUNNING = (State.MAPPED, State.CHECKING, State.IMPORTING)


def run_import(tenant_id: uuid.UUID, job_id: uuid.UUID) -> bool:
    """Check or import what is due of the job; True when there is more to do than fits a turn."""
    with tenant_scope(tenant_id):
        if not _claim(job_id):
            return False
        words = ImportJob.objects.get(pk=job_id).options.get("words", "en")
    deadline = time.monotonic() + SLICE_SECONDS
    with translation.override(words):
        try:
            return _check(tenant_id, job_id, deadline) or _import(tenant_id, job_id, deadline)
        except OperationalError:
            raise  # the database is away, or two waited for each other: the sweep comes again
        except Exception:
            logger.exception("import %s failed", job_id)
            wrong = _("Something went wrong on our side.")
            advice = _("It has been noted. Please try again in a moment.")
            _fail(tenant_id, job_id, f"{wrong} {advice}")
            return False


def due_imports() -> list[uuid.UUID]:
    """Jobs of the open chain that nobody works on."""
    return list(_unattended().values_list("pk", flat=True))


def tidy_imports() -> None:
    """Throw away files and lines that nothing needs any more, and end what was left lying."""
    now = clock.now()
    ImportJob.objects.filter(
        state__in=(State.UPLOADED, State.CHECKED), created_at__lt=now - KEEP_UNFINISHED
    ).update(state=State.CANCELLED, finished_at=now)
    over = ImportJob.objects.filter(state__in=(State.DONE, State.CANCELLED, State.FAILED))
    fresh = list(over.filter(is_tidy=False).values_list("pk", flat=True))
    ImportPart.objects.filter(job_id__in=fresh).delete()
    ImportRow.objects.filter(job_id__in=fresh, problems=[]).delete()
    ImportJob.objects.filter(pk__in=fresh).update(is_tidy=True)
    # No longer than a month: what could not be taken over names people too.
    old = over.filter(finished_at__lt=now - KEEP_ERRORS)
    ImportRow.objects.filter(job_id__in=old.values("pk")).delete()


def _unattended() -> QuerySet[ImportJob]:
    free = Q(leased_until=None) | Q(leased_until__lte=clock.now())
    return ImportJob.objects.filter(free, state__in=RUNNING)


def _claim(job_id: uuid.UUID) -> bool:
    until = clock.now() + LEASE
    claimed = _unattended().filter(pk=job_id).update(leased_until=until)
    ImportJob.objects.filter(pk=job_id, state=State.MAPPED).update(state=State.CHECKING)
    return bool(claimed)


def _check(tenant_id: uuid.UUID, job_id: uuid.UUID, deadline: float) -> bool:
    lines: Iterator[Line] | None = None
    judge: Judge | None = None
    line = 0
    while True:
        with tenant_scope(tenant_id):
            job = ImportJob.objects.select_for_update().get(pk=job_id)
            if job.state != State.CHECKING or (lines and job.checked_line != line):
                return False
            if lines is None or judge is None:
                judge = Judge(_setting(job))
                lines = read_lines(
                    storage.open_stored(job),
                    format=job.format,
                    encoding=job.encoding,
                    delimiter=job.delimiter,
                    after=job.checked_line,
                )
            try:
                chunk = list(islice(lines, CHUNK))
            except UnreadableFile as error:
                _end(job, State.FAILED, str(error))
                return False
            if not chunk:
                _finish_check(job)
                return False
            matching.stage(job.pk, (judge.judge(each) for each in chunk))
            matching.match(job.branch_ids, is_check=True)
            matching.judge_changes(job.options["rule"])
            note_refusals()
            matching.add_cells(chunk)
            matching.keep_chunk()
            line = job.checked_line = chunk[-1].number
            job.checked_rows += len(chunk)
            is_late = time.monotonic() > deadline
            job.leased_until = None if is_late else clock.now() + LEASE
            job.save(update_fields=["checked_line", "checked_rows", "leased_until"])
        if is_late:
            return True


def _finish_check(job: ImportJob) -> None:
    repeats.merge_repeats(job.pk, wins=job.options["repeats"], rule=job.options["rule"])
    note_refusals_of_the_file(job.pk)
    job.counts = _counted("outcome", job)
    job.reasons = _counted("unnest(problems)", job, "outcome = 'invalid'")
    is_left_aside = "outcome NOT IN ('invalid', 'duplicate') AND problems <> '{}'"
    job.counts |= _counted("'left_aside'", job, is_left_aside)
    job.total_rows = job.checked_rows
    job.state, job.leased_until = State.CHECKED, None
    job.save()


def _import(tenant_id: uuid.UUID, job_id: uuid.UUID, deadline: float) -> bool:
    while True:
        with tenant_scope(tenant_id):
            job = ImportJob.objects.select_for_update().get(pk=job_id)
            if job.state != State.IMPORTING:
                return False
            writing.serialise()
            count, last = matching.unstage(job.pk, job.imported_line, CHUNK)
            if not count:
                _end(job, State.DONE)
                return False
            _take_chunk(job)
            job.imported_line, job.imported_rows = last, job.imported_rows + count
            is_late = time.monotonic() > deadline
            job.leased_until = None if is_late else clock.now() + LEASE
            job.save()
        if is_late:
            return True


def _take_chunk(job: ImportJob) -> None:
    actor = Actor.for_staff(job.started_by, job.branch_ids or ())
    written = writing.write_chunk(
        rule=job.options["rule"],
        branch_ids=job.branch_ids,
        home_branch_id=uuid.UUID(branch) if (branch := job.options["home_branch"]) else None,
        actor_id=actor.user_id,
    )
    consented = take_consents(actor=actor, evidence=Evidence.of_job(job))
    sums = Counter(job.result)
    sums.update(
        created=len(written.created),
        updated=len(written.updated),
        consents=consented.recorded,
        consents_left_aside=consented.left_aside,
        refused=_keep_refusals(),
    )
    job.result = dict(sums)


def _keep_refusals() -> int:
    """Lines that were right when they were checked and are not any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {ImportRow._meta.db_table} r SET outcome = 'invalid', problems = g.problems
            FROM {matching.CHUNK_TABLE} g
            WHERE g.id = r.id AND g.tenant_id = r.tenant_id AND g.outcome = 'invalid'
            """  # noqa: S608  the names of our own tables
        )
        return int(cursor.rowcount)


def _fail(tenant_id: uuid.UUID, job_id: uuid.UUID, error: str) -> None:
    with tenant_scope(tenant_id):
        job = ImportJob.objects.select_for_update().get(pk=job_id)
        if not job.is_over:  # somebody may have cancelled it meanwhile
            _end(job, State.FAILED, error)


def _end(job: ImportJob, state: str, error: str = "") -> None:
    job.state, job.error = state, error
    job.finished_at, job.leased_until = clock.now(), None
    job.save()
    actor = Actor.for_staff(job.started_by, job.branch_ids or ())
    audit.record(actor, f"import.{state}", job, {"result": job.result, "error": error})


def _counted(expression: str, job: ImportJob, which: str = "true") -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT said, count(*) FROM (
                SELECT split_part({expression}, ':', 1) AS said FROM {ImportRow._meta.db_table}
                WHERE tenant_id = %s AND job_id = %s AND {which}
            ) AS lines GROUP BY said
            """,  # noqa: S608  our own expressions
            [job.tenant_id, job.pk],
        )
        return dict(cursor.fetchall())


def _setting(job: ImportJob) -> Setting:
    tenant = current_tenant()
    branches = Branch.objects.filter(is_active=True)
    if job.branch_ids is not None:
        branches = branches.filter(pk__in=job.branch_ids)
    known = list(branches)
    by_name = {branch.name.casefold(): branch.pk for branch in known}
    by_code = {branch.code.casefold(): branch.pk for branch in known}
    return Setting(
        headers=job.headers,
        mapping=job.mapping,
        country=tenant.country,
        languages=frozenset({*tenant.languages, "en"}),
        branches=by_name | by_code,
        attributes=selectors.attribute_types(),
        today=clock.now().date(),
        date_order=job.options["date_order"],
        tag=job.options["tag"],
    )
