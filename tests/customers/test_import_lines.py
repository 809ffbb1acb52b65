"""What a line may say, column by column, and what is told of one that cannot be taken."""

import csv
import datetime as dt
import io

import pytest

from customers.imports.wording import PROBLEMS, problem_text
from customers.models import AttributeDefinition, Customer, ImportRow
from tests.customers.importing import check, send, take
from tests.factories.customers import CustomerFactory


@pytest.fixture
def owner(chain):
    AttributeDefinition.objects.create(key="skin", label="Skin", type="choice", choices=["Dry"])
    AttributeDefinition.objects.create(key="points", label="Points", type="number")
    return chain.actor(chain.owner)


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("Phone", "12", "phone:Phone"),
        ("Phone", "9.82E+11", "rounded:Phone"),
        ("E-mail", "a@", "email:E-mail"),
        ("Birthday", "31/02/1990", "date:Birthday"),
        ("Birthday", "1/1/2999", "date_range:Birthday"),
        ("Birthday", "1990", "date:Birthday"),
        ("Gender", "x", "gender:Gender"),
        ("Language", "Klingon", "language:Language"),
        ("Preferred channel", "fax", "channel:Preferred channel"),
        ("Home branch", "Nowhere", "unknown_branch:Home branch"),
        ("Tags", "x" * 51, "tags:Tags"),
        ("Skin", "Oily", "choice:Skin"),
        ("Points", "NaN", "number:Points"),
        ("Points", "many", "number:Points"),
        ("Latitude", "91", "number:Latitude"),
        ("First name", "x" * 101, "long:First name"),
        ("First name", "x" * 5_001, "long_cell"),
        ("First name", "As\0ha", "control"),
        ("Parlour id", "7", "id:Parlour id"),
    ],
)
def test_a_cell_that_cannot_be_taken(owner, column, cell, problem):
    job = check(owner, f'Name,External id,{column}\nAsha,x1,"{cell}"\n')
    row = ImportRow.objects.get(job=job)
    assert (row.outcome, row.problems) == ("invalid", [problem])
    assert job.reasons == {problem.partition(":")[0]: 1}
    assert problem_text(problem)
    assert not Customer.objects.exists()


def test_every_problem_has_words():
    assert all(problem_text(code) for code in PROBLEMS)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("Name,Phone\nAsha,9820012341,more\n", "cells"),
        ('Name,Phone\n"Asha"x,9820012341\n', "quotes"),
        ("Name,Phone\nAsha,\n", "no_key"),
        ("Name,Phone\n,9820012341\n", "no_name"),
    ],
)
def test_a_line_that_cannot_be_taken(owner, content, problem):
    assert check(owner, content).reasons == {problem: 1}


def test_a_short_line_is_empty_at_its_end(owner):
    assert take(owner, "Name,Phone,Tags\nAsha,9820012341\n").result["created"] == 1


def test_everything_a_line_can_say(owner, chain):
    take(
        owner,
        "नाम,मोबाइल,ईमेल,जन्मदिन,लिंग,भाषा,शाखा,Tags,Skin,Points,External id,Latitude\n"
        "मीरा जोशी,९८२०० १२३४१,Meera@Example.com,5/3/90,महिला,हिन्दी,south,"
        '"VIP, ""a, b""",dry,12,x9,19.1\n',
    )
    customer = Customer.objects.get()
    assert (customer.first_name, customer.last_name) == ("मीरा", "जोशी")
    assert (customer.phone, customer.email) == ("+919820012341", "meera@example.com")
    assert customer.birth_date == dt.date(1990, 3, 5)
    assert (customer.gender, customer.language) == ("female", "hi")
    assert customer.home_branch == chain.south
    assert customer.tags == ["VIP", "a, b"]
    assert customer.attributes == {"skin": "Dry", "points": 12}
    assert (customer.external_id, customer.latitude, customer.source) == ("x9", 19.1, "import")
    assert customer.facts.visit_count == 0
    assert {(p.kind, p.is_primary) for p in customer.contact_points.all()} == {
        ("phone", True),
        ("email", True),
    }


@pytest.mark.parametrize(
    ("order", "text"), [("dmy", "05.03.1990"), ("mdy", "3/5/1990"), ("ymd", "90-3-5")]
)
def test_dates_are_read_as_chosen_and_iso_always(owner, order, text):
    take(
        owner,
        f"Name,Phone,Birthday\nAsha,9820012341,{text}\nMeera,9820012351,1990-03-05\n",
        date_order=order,
    )
    assert set(Customer.objects.values_list("birth_date", flat=True)) == {dt.date(1990, 3, 5)}


def test_lines_not_taken_come_back_as_a_file_that_can_be_mended(owner, login):
    CustomerFactory(phone="+919820012351")
    job = check(owner, 'Name,Phone\n=cmd(),12\n"As\nha",+9820012341x\nMeera,9820012351\n')
    answer = login("owner").get(f"/customers/imports/{job.pk}/errors")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == ["Name", "Phone", "Line in the file", "What is wrong"]
    assert lines[1][:3] == ["'=cmd()", "12", "2"]
    assert lines[2][:3] == ["As\nha", "'+9820012341x", "3"]
    assert "Phone: No such phone number" in lines[1][3]
    assert len(lines) == 3


def test_columns_are_guessed_and_remembered(owner):
    header = "Guest Name,Mobile No.,Favourite\n"
    job = check(owner, header + "Asha,9820012341,tea\n", mapping=["name", "phone", "tags"])
    assert send(owner, "Guest Name,Mobile No.\nAsha,9\n").mapping == ["name", "phone"]
    assert send(owner, header + "Meera,9820012351,x\n").mapping == job.mapping


def test_the_proof_of_one_files_consents_is_asked_anew_for_the_next(owner):
    header = "Name,Phone,SMS consent\n"
    proof = {"consent_date": "2024-05-01", "consent_details": "at the fair"}
    check(
        owner,
        header + "Asha,9820012341,yes\n",
        consent_source="paper_form",
        consent_wording="2024-01",
        **proof,
    )
    remembered = send(owner, header + "Meera,9820012351,yes\n").options
    assert remembered["consent_wording"] == "2024-01"
    assert not proof.keys() & remembered.keys()
