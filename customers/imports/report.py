"""The lines that were not taken, or not wholly, as a CSV file with what is wrong with each."""

import uuid
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from customers.exports.csv_writing import write_csv
from customers.imports import selectors
from customers.imports.wording import problems_text
from customers.models import ImportJob
from marketing.core.tenancy import tenant_scope


def error_file(tenant_id: uuid.UUID, job_id: uuid.UUID) -> Iterator[str]:
    """Piece by piece, in a tenant scope of its own: a response outlives its request's."""
    with tenant_scope(tenant_id):
        job = ImportJob.objects.get(pk=job_id)
        # Mended and sent again, the file's own columns are where they were.
        headings = [*job.headers, _("Line in the file"), _("What is wrong")]
        yield from write_csv(headings, _refused(job))


def _refused(job: ImportJob) -> Iterator[list[Any]]:
    width = len(job.headers)
    for row in selectors.lines_with_problems(job).iterator(chunk_size=2_000):
        cells = (row.cells or [])[:width]
        cells += [""] * (width - len(cells))
        yield [*cells, row.line, problems_text(row.problems)]
