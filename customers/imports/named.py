"""People as another module names them, found or entered: an import of a few lines without a file.

They are matched as the lines of a file are: by Parlour's number, the other system's, the phone,
the e-mail. Each is to be named once in a call.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from customers.imports import matching, writing
from customers.imports.consents import Evidence, take_consents
from customers.imports.validation import Judged
from customers.services.assumed import assume_consents
from marketing.core.actor import Actor


@dataclass(frozen=True)
class Placed:
    """Whom a name meant; `problem` (a code of `wording.PROBLEMS`) where it meant nobody."""

    customer_id: uuid.UUID
    is_new: bool = False
    problem: str = ""


@transaction.atomic
def place_people(
    *,
    actor: Actor,
    people: Sequence[Mapping[str, Any]],
    source: str,
    where: str,
    overwrites: bool = False,
) -> list[Placed]:
    """Find or enter these people, in a few statements however many; in the order given.

    `people` are clean values by `matching.VALUES`. Of who is known, what is empty is filled, or
    with `overwrites` what is named is replaced. Who is new gets what the chain assumes of
    consent; what is said of it stands in the ledger with `where` as its proof. The rows of all
    of them are locked until the transaction ends, and no other call enters people meanwhile.
    """
    if not people:
        return []
    writing.serialise()
    judged = (Judged(line, dict(values)) for line, values in enumerate(people))
    matching.stage(uuid.uuid4(), judged)
    only = next(iter(actor.branch_ids)) if actor.branch_ids and len(actor.branch_ids) == 1 else None
    written = writing.write_chunk(
        rule=matching.OVERWRITE if overwrites else matching.FILL,
        branch_ids=None,
        home_branch_id=only,
        actor_id=actor.user_id,
        source=source,
    )
    assume_consents(actor=actor, customer_ids=written.created, source=source)
    take_consents(actor=actor, evidence=Evidence(source=source, wording_version="", where=where))
    return _placed(set(written.created))


def _placed(created: set[uuid.UUID]) -> list[Placed]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(customer_id, id), outcome = 'invalid', problems "  # noqa: S608  ours
            f"FROM {matching.CHUNK_TABLE} ORDER BY line"
        )
        return [
            Placed(pk, pk in created, (problems or ["gone"])[0] if is_invalid else "")
            for pk, is_invalid, problems in cursor.fetchall()
        ]
