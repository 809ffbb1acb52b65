"""Files to import, and the way from a file to what became of it."""

import io
import zipfile

from django.core.files.uploadedfile import SimpleUploadedFile

from customers.exports.xlsx_writing import write_xlsx
from customers.imports import services, worker
from customers.models import ImportJob

OPTIONS = {"rule": "fill", "repeats": "last", "date_order": "dmy"}
MOST_TURNS = 50


def upload(content, name="people.csv"):
    content = content if isinstance(content, bytes) else content.encode()
    return SimpleUploadedFile(name, content)


def send(actor, content, name="people.csv"):
    return services.receive_import(actor=actor, file=upload(content, name))


def check(actor, content, *, name="people.csv", mapping=None, **options):
    """The file after its dry run."""
    job = send(actor, content, name)
    services.choose_columns(
        actor=actor, job=job, mapping=mapping or job.mapping, options=OPTIONS | options
    )
    work(job)
    return ImportJob.objects.get(pk=job.pk)


def take(actor, content, **how):
    """The file after its import."""
    job = check(actor, content, **how)
    assert job.state == "checked", job.error
    services.start_import(actor=actor, job=job)
    work(job)
    return ImportJob.objects.get(pk=job.pk)


def work(job):
    """Turn after turn until it is done; one that never gets on is a fault."""
    for _turn in range(MOST_TURNS):
        if not worker.run_import(job.tenant_id, job.pk):
            return
    raise AssertionError("the import does not get on")


def xlsx(*rows):
    return b"".join(write_xlsx(rows[0], rows[1:]))


def zipped(**members):
    """A zip of the named members, as bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in members.items():
            book.writestr(name, content)
    return held.getvalue()
