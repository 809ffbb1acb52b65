"""Lists of customers as files: who gets what, and that a file can come back unchanged."""

import csv
import datetime as dt
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.exports.csv_writing import guarded
from customers.exports.services import export_list
from customers.imports import reading, xlsx_reading
from customers.imports.limits import UnreadableFile
from customers.models import AttributeDefinition, ConsentRecord, Customer
from marketing.core.errors import ValidationFailed
from marketing.core.models import AuditEntry
from tests.customers.importing import take, xlsx
from tests.factories.customers import CustomerFactory


@pytest.fixture
def owner(chain):
    return chain.actor(chain.owner)


def exported(actor, kind, customers=None):
    people = Customer.objects.all() if customers is None else customers
    export = export_list(actor=actor, customers=people, format=kind, chosen_by={"search": "x"})
    return b"".join(
        piece if isinstance(piece, bytes) else piece.encode() for piece in export.pieces
    )


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_formulas_are_texts_and_numbers_stay_numbers(owner):
    AttributeDefinition.objects.create(key="points", label="Points", type="number")
    CustomerFactory(first_name='=HYPERLINK("http://x")', last_name="@x", attributes={"points": -5})
    (row,) = rows(exported(owner, "csv"))
    assert row["First name"] == '\'=HYPERLINK("http://x")'
    assert (row["Last name"], row["Points"]) == ("'@x", "-5")
    assert row["Phone"].startswith("'+91")
    assert [guarded(text) for text in ("-1", "\tx", "'=x", "a=b", -1)] == [
        "'-1", "'\tx", "''=x", "a=b", -1,
    ]  # fmt: skip
    assert b"<f>" not in exported(owner, "xlsx")


def test_json_has_what_is_known(owner):
    CustomerFactory(first_name="मीरा 🌸", tags=["VIP"], consent=False)
    (person,) = json.loads(exported(owner, "json"))
    assert (person["first_name"], person["tags"]) == ("मीरा 🌸", "VIP")
    assert "birth_date" not in person
    assert json.loads(exported(owner, "json", Customer.objects.none())) == []


def test_a_branch_exports_its_own_and_a_receptionist_masked(chain, manager):
    CustomerFactory(first_name="Own", home_branch=chain.north, phone="+919820012341")
    CustomerFactory(home_branch=chain.south)
    CustomerFactory(home_branch=chain.north, status="erased")
    (row,) = rows(exported(manager, "csv"))
    assert (row["First name"], row["Phone"]) == ("Own", "'+919820012341")
    (row,) = rows(exported(chain.actor(chain.receptionist), "csv"))
    assert row["Phone"] == "'+919****41"
    assert row["E-mail"].startswith("a****@")
    assert "Latitude" not in row
    kept = AuditEntry.objects.filter(action="customer.export_list").order_by("pk")
    assert [entry.changes for entry in kept] == [
        {"search": "x", "format": "csv", "count": 1, "masked": False},
        {"search": "x", "format": "csv", "count": 1, "masked": True},
    ]


def test_an_unknown_kind_is_refused(owner):
    with pytest.raises(ValidationFailed):
        export_list(actor=owner, customers=Customer.objects.all(), format="pdf", chosen_by={})


def test_the_page_hands_out_whom_the_search_finds(login):
    CustomerFactory(first_name="Zoya")
    CustomerFactory(first_name="Asha")
    client = login("owner")
    assert "1 customer" in client.get("/customers/export?q=zoya").content.decode()
    answer = client.post("/customers/export", {"q": "zoya", "format": "csv"})
    content = b"".join(answer.streaming_content)
    assert [row["First name"] for row in rows(content)] == ["Zoya"]
    assert answer["Content-Disposition"] == 'attachment; filename="customers.csv"'
    assert client.post("/customers/export", {"format": "pdf"}).status_code == 400


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zs", "Zl", "Zp")),
    min_size=1,
    max_size=12,
)
people = st.lists(
    st.fixed_dictionaries(
        {
            "first_name": words,
            "last_name": st.one_of(st.just(""), words),
            "tags": st.lists(words, max_size=3, unique_by=str.casefold),
            "attributes": st.fixed_dictionaries(
                {}, optional={"note": words, "points": st.integers(-(10**9), 10**9)}
            ),
            "birth_date": st.one_of(
                st.none(), st.dates(max_value=dt.date(2020, 1, 1), min_value=dt.date(1900, 1, 1))
            ),
            "gender": st.sampled_from(["", "female", "other"]),
            "has_phone": st.booleans(),
            "consent": st.sampled_from([True, False, {"sms_basis": "assumed"}]),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    who=people, kind=st.sampled_from(["csv", "xlsx"]), rule=st.sampled_from(["fill", "overwrite"])
)
def test_importing_an_export_changes_nothing(owner, chain, who, kind, rule):
    for key, kind_of in (("note", "text"), ("points", "number")):
        AttributeDefinition.objects.get_or_create(key=key, label=key.title(), type=kind_of)
    for person in who:
        values = dict(person)
        if not values.pop("has_phone"):
            values |= {"phone": "", "email": ""}
        CustomerFactory(home_branch=chain.north, **values)
    before = list(Customer.objects.order_by("pk").values())
    states = list(
        Customer.objects.order_by("pk").values("consent__sms_basis", "consent__updated_at")
    )
    job = take(
        owner,
        exported(owner, kind),
        rule=rule,
        consent_source="former_system",
        consent_wording="as before",
    )
    assert job.counts == {"unchanged": len(before)}, job.reasons
    assert list(Customer.objects.order_by("pk").values()) == before
    assert (
        list(Customer.objects.order_by("pk").values("consent__sms_basis", "consent__updated_at"))
        == states
    )
    assert not ConsentRecord.objects.exists()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"Name,Phone\n", b"\xff\xfe", b"PK\x03\x04"]))
def test_no_file_breaks_the_reader(content, head):
    try:
        found = reading.outline(io.BytesIO(head + content))
        list(
            reading.read_lines(
                io.BytesIO(head + content),
                format=found.format,
                encoding=found.encoding,
                delimiter=found.delimiter,
            )
        )
    except UnreadableFile:
        pass


@given(st.lists(st.lists(st.one_of(words, st.integers(-(10**12), 10**12)), min_size=1, max_size=4)))
def test_a_workbook_is_read_as_it_was_written(lines):
    content = xlsx(["head"], *lines)
    read = list(xlsx_reading.read_rows(io.BytesIO(content)))[1:]
    assert [cells for _number, cells in read] == [
        [str(guarded(cell)) for cell in line] for line in lines
    ]


@pytest.mark.parametrize(
    "text",
    ["\n=1", " =1", "\u00a0=1", "\u200b+1", "\ufeff@x", " \t-1", "＝1", "＋1", "－1", "＠x", "\r"],
)
def test_a_formula_behind_blanks_or_in_wide_signs_is_a_text(text):
    assert guarded(text) == f"'{text}"
    assert guarded(f"'{text}") == f"''{text}"


@pytest.mark.parametrize("note", ["=1", "'=1", "''=1", "＝1", "' ＠x", "'x", "x\n=1"])
def test_a_guarded_text_is_imported_as_it_was(owner, note):
    AttributeDefinition.objects.create(key="note", label="Note", type="text")
    CustomerFactory(attributes={"note": note}, consent=False)
    job = take(
        owner,
        exported(owner, "csv"),
        rule="overwrite",
        consent_source="former_system",
        consent_wording="as before",
    )
    assert job.counts == {"unchanged": 1}, job.reasons


def test_addresses_that_somebody_noted_are_masked_too(chain):
    for key, kind in (("note", "text"), ("other_number", "number"), ("since", "date")):
        AttributeDefinition.objects.create(key=key, label=key.title(), type=kind)
    CustomerFactory(
        first_name="Asha 98765-43210",
        home_branch=chain.north,
        external_id="+919876543210",
        tags=["call 098765 43210", "VIP 2024"],
        attributes={
            "note": "husband ९८७६५ ४३२१०, ravi.rao@example.com, 12 visits",
            "other_number": 9876543210,
            "since": "2024-01-05",
        },
    )
    receptionist = chain.actor(chain.receptionist)
    (row,) = rows(exported(receptionist, "csv"))
    assert row["First name"] == "Asha 9876****10"
    assert row["Tags"] == "call 0987****10,VIP 2024"
    assert row["Note"] == "husband ९८७६****१०, r****@example.com, 12 visits"
    assert (row["Other_Number"], row["Since"]) == ("9876****10", "2024-01-05")
    for kind in ("csv", "json"):
        assert b"43210" not in exported(receptionist, kind)
    assert b"98765-43210" in exported(chain.actor(chain.owner), "csv")
