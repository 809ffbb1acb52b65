"""Several lines of one file that mean the same person, or do not, wherever a chunk ends."""

import pytest

from customers.imports import worker
from customers.models import Customer
from tests.customers.importing import take
from tests.factories.customers import CustomerFactory

PHONE, SECOND = "+919820012341", "+919820012351"
HEADER = "External id,Name,Phone,E-mail\n"


@pytest.fixture
def owner(chain):
    return chain.actor(chain.owner)


@pytest.fixture(params=[1, 2, 5_000])
def chunk(request, monkeypatch):
    monkeypatch.setattr(worker, "CHUNK", request.param)


def people():
    found = Customer.objects.values_list("external_id", "first_name", "phone", "email")
    return sorted(tuple(value or "" for value in each) for each in found)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([",A,9820012341,a@x.in", ",A,,a@x.in"], [("", "A", PHONE, "a@x.in")]),
        ([",A,,a@x.in", ",A,9820012341,a@x.in"], [("", "A", PHONE, "a@x.in")]),
        (["x1,A,,a@x.in", ",A,,a@x.in"], [("x1", "A", "", "a@x.in")]),
        (["x1,A,,a@x.in", ",A,9820012341,a@x.in"], [("x1", "A", PHONE, "a@x.in")]),
        (["x1,A,9820012341,", ",A,9820012341,a@x.in", ",A,,a@x.in"],
         [("x1", "A", PHONE, "a@x.in")]),
        ([",A,9820012341,a@x.in", ",B,9820012351,a@x.in"],
         [("", "A", PHONE, "a@x.in"), ("", "B", SECOND, "a@x.in")]),
        ([",A,9820012341,a@x.in", ",B,9820012351,a@x.in", ",B,,a@x.in"],
         [("", "A", PHONE, "a@x.in"), ("", "B", SECOND, "a@x.in")]),
        (["x1,A,9820012341,a@x.in", ",B,9820012351,a@x.in"],
         [("", "B", SECOND, "a@x.in"), ("x1", "A", PHONE, "a@x.in")]),
        (["x1,A,9820012341,a@x.in", "x2,A,9820012341,a@x.in"],
         [("x1", "A", PHONE, "a@x.in"), ("x2", "A", PHONE, "a@x.in")]),
    ],
)  # fmt: skip
def test_who_is_the_same_does_not_depend_on_chunks(owner, chunk, lines, expected):
    job = take(owner, HEADER + "\n".join(lines))
    assert people() == expected
    assert job.counts["new"] == job.result["created"] == len(expected)


@pytest.mark.parametrize("name", ["A", "B"])
def test_what_a_line_adds_to_a_known_person_reaches_no_other_line(owner, chunk, name):
    """Only the same name makes another phone hers."""
    CustomerFactory(external_id="x1", first_name="A", last_name="", phone=PHONE, email="")
    lines = [",A,9820012341,a@x.in", f",{name},9820012351,a@x.in"]
    take(owner, HEADER + "\n".join(lines))
    assert Customer.objects.count() == (1 if name == "A" else 2)


def test_a_known_persons_lines_are_found_by_what_the_file_says_of_her(owner, chunk):
    known = CustomerFactory(first_name="A", last_name="", phone=PHONE, email="")
    job = take(owner, f"{HEADER}x1,A,{PHONE},a@x.in\nx1,A,,\n,A,,a@x.in\n")
    assert job.counts == {"changed": 1, "duplicate": 2}
    assert people() == [("x1", "A", PHONE, "a@x.in")]
    assert Customer.objects.get().pk == known.pk


def test_an_address_that_many_lines_share_makes_nobody_one(owner, chunk):
    """As where a counter writes its own e-mail for everybody."""
    lines = [f",Asha {n},98{n:07}1,desk@x.in" for n in range(7)]
    job = take(owner, HEADER + "\n".join(lines))
    assert job.result["created"] == 7
