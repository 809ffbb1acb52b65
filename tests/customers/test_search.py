"""Looking people up by any part of their name or phone."""

import pytest
from django.db import connection

from customers.models import ImportRow
from customers.selectors import search_customers
from marketing.core.tenancy import tenant_scope
from tests.customers.importing import check
from tests.factories.customers import CustomerFactory


@pytest.fixture
def people(chain):
    return {
        "asha": CustomerFactory(first_name="Asha", last_name="Sharma", phone="+919876543210"),
        "usha": CustomerFactory(first_name="उषा", last_name="Šarma 100%", phone="+919123456789"),
        "ravi": CustomerFactory(first_name="Ravi", last_name="Natasha_Rao", phone="+442079460018"),
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("asha", {"asha", "ravi"}),
        ("SHARMA asha", {"asha"}),
        ("as", {"asha"}),
        ("ra", {"ravi"}),
        ("उषा", {"usha"}),
        ("उष", {"usha"}),
        ("आशा", set()),
        ("उषा šarma", {"usha"}),
        ("100%", {"usha"}),
        ("%", set()),
        ("_rao", {"ravi"}),
        ("98765 43", {"asha"}),
        ("+91 98765-43210", {"asha"}),
        ("098765", {"asha"}),
        ("543", {"asha"}),
        ("५४३", {"asha"}),
        ("0018", {"ravi"}),
        ("sharma 543", {"asha"}),
        ("sharma 999", set()),
        ("nobody", set()),
        ("", set()),
        ("'; DROP TABLE", set()),
    ],
)
def test_search(people, manager, text, names):
    found = set(search_customers(manager, text))
    assert found == {people[name] for name in names}


def test_erased_people_and_other_tenants_are_not_found(people, manager, other_chain):
    people["asha"].status = "erased"
    people["asha"].save()
    with tenant_scope(other_chain.tenant.pk):
        CustomerFactory(first_name="Asha")
    assert set(search_customers(manager, "asha")) == {people["ravi"]}


@pytest.mark.parametrize(("text", "column"), [("sharma", "search_name"), ("987", "phone")])
def test_search_compares_plain_columns_by_leakproof_functions(manager, text, column):
    """Anything else keeps the trigram indexes out of reach under row-level security."""
    where = str(search_customers(manager, text).query).partition("WHERE")[2]
    assert f'"customers_customer"."{column}"::text LIKE %{text}%' in where
    assert "(" not in where.strip(" ()")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proleakproof FROM pg_proc WHERE oid = 'textlike(text,text)'::regprocedure"
        )
        assert cursor.fetchone() == (True,)


def test_names_of_indian_scripts_are_found_along_an_index(people, manager):
    """Their letters are none to the trigrams of a database whose locale is C."""
    where = str(search_customers(manager, "उषा").query).partition("WHERE")[2]
    assert '"customers_customer"."search_key"::text LIKE' in where
    assert '"customers_customer"."search_name"::text LIKE %उषा%' in where
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cardinality(show_trgm(search_key)) FROM customers_customer"
            " WHERE search_key IS NOT NULL AND first_name = 'उषा'"
        )
        assert cursor.fetchone()[0] >= 4


@pytest.mark.parametrize(
    ("composed", "decomposed"),
    [
        ("\u095bोया", "ज\u093cोया"),
        ("Jos\u00e9", "Jose\u0301"),
        ("Ｒａｖｉ", "Ravi"),
    ],
    ids=["nukta", "accent", "wide letters"],
)
def test_however_a_letter_is_written_the_name_is_found(manager, composed, decomposed):
    people = {CustomerFactory(first_name=name) for name in (composed, decomposed)}
    for text in (composed, decomposed, composed.upper()):
        assert set(search_customers(manager, text)) == people


def test_of_a_family_a_file_means_the_one_of_that_name_however_it_is_written(chain):
    CustomerFactory(phone="+919820012341", first_name="Maria", last_name="Rao")
    jose = CustomerFactory(phone="+919820012341", first_name="Jos\u00e9", last_name="Rao")
    job = check(chain.actor(chain.owner), f"Name,Phone\nJose\u0301 Rao,{jose.phone}\n")
    assert job.reasons == {}
    assert ImportRow.objects.get(job=job).customer_id == jose.pk
