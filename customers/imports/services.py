"""What people do with an import: send a file, choose its columns, start it, stop it."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers import rules
from customers.imports import columns, reading, storage, tasks
from customers.imports.consents import SOURCES
from customers.imports.limits import MAX_BYTES, TOO_LARGE, UnreadableFile
from customers.imports.matching import FILL, OVERWRITE
from customers.imports.repeats import FIRST, LAST
from customers.imports.validation import DATE_ORDERS
from customers.models import ImportJob, ImportMapping, ImportRow
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.nudge import nudge
from marketing.core.selectors import branches_for_actor

State = ImportJob.State
CHOICES = {
    "rule": (FILL, OVERWRITE),
    "repeats": (LAST, FIRST),
    "date_order": tuple(DATE_ORDERS),
    "consent_source": ("", *SOURCES),
}
TEXTS = {"consent_date": 10, "consent_wording": 50, "consent_details": 300, "tag": rules.TAG_LENGTH}
# Part of the proof of one file's consents: for the next it is asked anew.
OF_ONE_FILE = frozenset({"consent_date", "consent_details"})
MAPPABLE = (State.UPLOADED, State.MAPPED, State.CHECKING, State.CHECKED)


@transaction.atomic
def receive_import(*, actor: Actor, file: UploadedFile) -> ImportJob:
    """Keep the file and guess its columns. Raises `ValidationFailed` (`file`), keeping nothing."""
    actor.require("customer.import")
    if actor.staff is None:
        raise ValidationFailed(fields={"file": [_("Only staff can import.")]})
    size = file.size or 0
    if size > MAX_BYTES:
        raise ValidationFailed(fields={"file": [str(TOO_LARGE)]})
    try:
        found = reading.outline(cast(BinaryIO, file.file))
    except UnreadableFile as error:
        raise ValidationFailed(fields={"file": [str(error)]}) from error
    remembered = ImportMapping.objects.filter(
        headers_hash=columns.fingerprint(found.headers)
    ).first()
    targets = columns.all_targets()
    known = {target.name for target in targets}
    mapping = columns.guess(found.headers, targets)
    if remembered:
        mapping = [name if name in known else "" for name in remembered.mapping]
    job = ImportJob.objects.create(
        started_by=actor.staff,
        branch_ids=sorted(actor.branch_ids) if actor.branch_ids is not None else None,
        file_name=(file.name or "")[-200:],
        file_bytes=size,
        format=found.format,
        encoding=found.encoding,
        delimiter=found.delimiter,
        headers=found.headers,
        samples=[[cell[:80].replace("\0", "") for cell in row] for row in found.samples],
        total_rows=max(found.rows - 1, 0),
        mapping=mapping,
        options=remembered.options if remembered else {},
    )
    file.seek(0)
    storage.keep(job, file.chunks(storage.PART_BYTES))
    audit.record(actor, "import.upload", job, {"file": job.file_name, "bytes": size})
    return job


@transaction.atomic
def choose_columns(
    *, actor: Actor, job: ImportJob, mapping: Sequence[str], options: Mapping[str, str]
) -> ImportJob:
    """Say what each column holds and how to take it in, and have the file checked (again).

    `mapping` has a target of `columns.all_targets` or "" for each column. Raises
    `ValidationFailed` (`column_<index>` or an option), `Conflict` once it is being imported.
    """
    actor.require("customer.import")
    job = _locked(job, MAPPABLE)
    chosen = {
        name: str(options.get(name, "")).strip() for name in ("home_branch", *CHOICES, *TEXTS)
    }
    _check_mapping(job, mapping, chosen)
    _check_options(actor, chosen)
    ImportRow.objects.filter(job=job).delete()
    job.mapping, job.options = list(mapping), {**chosen, "words": get_language() or "en"}
    job.state, job.leased_until = State.MAPPED, None
    job.checked_rows = job.checked_line = 0
    job.counts, job.reasons = {}, {}
    job.save()
    remembered = {name: said for name, said in chosen.items() if name not in OF_ONE_FILE}
    ImportMapping.objects.update_or_create(
        headers_hash=columns.fingerprint(job.headers),
        defaults={"mapping": job.mapping, "options": remembered},
    )
    audit.record(actor, "import.map", job, {"mapping": job.mapping, "options": chosen})
    _wake(job)
    return job


@transaction.atomic
def start_import(*, actor: Actor, job: ImportJob) -> ImportJob:
    """Take the checked lines over. Starting twice is once; `Conflict` in any other state."""
    actor.require("customer.import")
    job = _locked(job, (State.CHECKED, State.IMPORTING))
    if job.state == State.CHECKED:
        job.state, job.leased_until = State.IMPORTING, None
        job.save(update_fields=["state", "leased_until"])
        audit.record(actor, "import.start", job, {"counts": job.counts})
    _wake(job)
    return job


@transaction.atomic
def cancel_import(*, actor: Actor, job: ImportJob) -> ImportJob:
    """Stop it before the next chunk. What is imported stays; `Conflict` when it is over."""
    actor.require("customer.import")
    job = _locked(job, [state for state in State if not ImportJob(state=state).is_over])
    job.state, job.finished_at = State.CANCELLED, clock.now()
    job.save(update_fields=["state", "finished_at"])
    audit.record(actor, "import.cancel", job, {"imported": job.imported_rows})
    return job


def _locked(job: ImportJob, states: Sequence[str]) -> ImportJob:
    locked = ImportJob.objects.select_for_update().get(pk=job.pk)
    if locked.state not in states:
        raise Conflict(_("The import has gone on in the meantime. Reload the page to see it."))
    return locked


def _wake(job: ImportJob) -> None:
    ids = (str(job.tenant_id), str(job.pk))
    transaction.on_commit(lambda: nudge(tasks.run_import, *ids))


def _check_mapping(job: ImportJob, mapping: Sequence[str], options: Mapping[str, str]) -> None:
    known = {target.name for target in columns.all_targets()}
    wrong: dict[str, list[str]] = {}
    for index, name in enumerate(mapping):
        if name and name not in known:
            wrong[f"column_{index}"] = [_("There is no such field.")]
        elif name and name in mapping[:index]:
            wrong[f"column_{index}"] = [_("Another column is already taken for this.")]
    chosen = set(mapping)
    if len(mapping) != len(job.headers):
        wrong["mapping"] = [_("Choose something for every column.")]
    elif not chosen & {"given_id", "external_id", "phone", "email"}:
        wrong["mapping"] = [
            _("Choose the column of the phone, the e-mail or the number of the other system.")
        ]
    if chosen & columns.CONSENT_NAMES and not options["consent_source"]:
        wrong["consent_source"] = [
            _("Say where these consents were given, or leave the consent columns out.")
        ]
    if chosen & columns.CONSENT_NAMES and not options["consent_wording"]:
        wrong["consent_wording"] = [_("Say which wording people agreed to.")]
    if wrong:
        raise ValidationFailed(fields=wrong)


def _check_options(actor: Actor, options: dict[str, str]) -> None:
    wrong: dict[str, list[str]] = {}
    for name, allowed in CHOICES.items():
        options[name] = options[name] or allowed[0]
        if options[name] not in allowed:
            wrong[name] = [_("Choose one of these.")]
    for name, longest in TEXTS.items():
        if len(options[name]) > longest:
            wrong[name] = [_("This text is too long.")]
    mine = {str(branch.pk) for branch in branches_for_actor(actor)}
    if not options["home_branch"] and actor.branch_ids is not None:
        if len(mine) != 1:
            wrong["home_branch"] = [_("Choose the branch of people whose line names none.")]
        else:
            (options["home_branch"],) = mine
    elif options["home_branch"] and options["home_branch"] not in mine:
        wrong["home_branch"] = [_("This branch is not one of yours.")]
    if wrong:
        raise ValidationFailed(fields=wrong)
