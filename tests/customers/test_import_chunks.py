"""What a file leaves behind does not hang on where its chunks end."""

from collections import defaultdict
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from customers.imports import worker
from customers.models import ConsentState, ContactPoint, Customer, ImportRow
from customers.services import opt_out
from marketing.core.actor import Actor
from tests.customers.importing import take
from tests.factories.core import Chain
from tests.factories.customers import CustomerFactory

HEADER = "External id,Name,Phone,E-mail,WhatsApp consent,Opted out\n"
PHONES = ["", "9820012341", "9820012351", "9820012361"]
EMAILS = ["", "a@x.in", "b@x.in"]
NAMES = ["A", "B", "C"]
NUMBERS = ["", "x1", "x2"]

LINES = st.lists(
    st.tuples(
        st.sampled_from(NUMBERS),
        st.sampled_from(NAMES),
        st.sampled_from(PHONES),
        st.sampled_from(EMAILS),
        st.sampled_from(["", "", "yes", "no"]),
        st.sampled_from(["", "", "", "yes"]),
    ),
    min_size=2,
    max_size=6,
)
KNOWN = st.lists(
    st.fixed_dictionaries(
        {
            "external_id": st.sampled_from([None, None, "x1"]),
            "first_name": st.sampled_from(NAMES),
            "phone": st.sampled_from(["", "+919820012341", "+919820012351"]),
            "email": st.sampled_from(EMAILS),
        }
    ),
    max_size=3,
    unique_by=lambda one: one["external_id"] or id(one),
)
HOW = st.fixed_dictionaries(
    {
        "rule": st.sampled_from(["fill", "overwrite"]),
        "repeats": st.sampled_from(["first", "last"]),
    }
)
ONE = {"external_id": None, "first_name": "A", "phone": "+919820012341", "email": ""}
OTHER = ONE | {"phone": "+919820012351"}
Lines = list[tuple[str, ...]]
FILL = {"rule": "fill", "repeats": "last"}


def left_behind(owner: Actor, lines: Lines, how: dict[str, str]) -> dict[str, Any]:
    """Everybody with all that a file can change, and what was said of the lines."""
    job = take(
        owner,
        HEADER + "\n".join(map(",".join, lines)),
        consent_source="counter",
        consent_wording="1",
        **how,
    )
    points = defaultdict(list)
    for person, *point in ContactPoint.objects.values_list(
        "customer", "kind", "value", "is_primary"
    ):
        points[person].append(tuple(point))
    consents = {
        person: tuple(consent)
        for person, *consent in ConsentState.objects.values_list(
            "customer", "whatsapp_promotional", "whatsapp_basis", "marketing_opted_out"
        )
    }
    people = [
        (*own, sorted(points[person]), consents[person])
        for person, *own in Customer.objects.values_list(
            "pk", "external_id", "first_name", "phone", "email"
        )
    ]
    rows = ImportRow.objects.filter(job=job).order_by("line")
    return {
        "state": job.state,
        "error": job.error,
        "people": sorted(people, key=repr),
        "result": job.result,
        "lines": list(rows.values_list("line", "outcome", "problems")),
    }


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lines=LINES, known=KNOWN, refusing=st.booleans(), how=HOW)
# A number of its own beside somebody known who has none yet, and who gets the e-mail it has.
@example(
    lines=[("", "A", "9820012341", "a@x.in", "", ""), ("x1", "A", "", "a@x.in", "", "")],
    known=[ONE],
    refusing=False,
    how=FILL,
)
# Two numbers that want to be hers, and one number that two of them want.
@example(
    lines=[("x1", "B", "9820012341", "", "", ""), ("x2", "A", "9820012341", "", "", "")],
    known=[ONE],
    refusing=False,
    how=FILL,
)
@example(
    lines=[("x1", "A", "9820012341", "", "", ""), ("x1", "A", "9820012351", "", "", "")],
    known=[ONE, OTHER],
    refusing=False,
    how=FILL,
)
# What one refuses for a number that another agrees to.
@example(
    lines=[("x1", "A", "9820012361", "", "", "yes"), ("x2", "B", "9820012361", "", "yes", "")],
    known=[],
    refusing=False,
    how=FILL,
)
def check(
    owner: Actor, lines: Lines, known: list[dict[str, Any]], refusing: bool, how: dict[str, str]
) -> None:
    found = []
    whole = worker.CHUNK
    before = transaction.savepoint()
    made = [CustomerFactory(last_name="", **one) for one in known]
    if refusing and made:
        opt_out(actor=owner, customer=made[0], source="staff")
    try:
        for size in (1, 2, 1_000):
            worker.CHUNK = size
            savepoint = transaction.savepoint()
            found.append(left_behind(owner, lines, how))
            transaction.savepoint_rollback(savepoint)
    finally:
        worker.CHUNK = whole
        transaction.savepoint_rollback(before)
    assert found[0]["state"] == "done"
    assert found[0] == found[1] == found[2]


def test_the_same_file_leaves_the_same_behind_in_chunks_of_any_size(chain: Chain) -> None:
    check(chain.actor(chain.owner))
