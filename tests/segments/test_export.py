"""The people of a segment as a file: who may take it, whom it holds, and what is kept of it."""

import csv
import io
import json

import pytest
from django.urls import reverse

from customers.models import Customer
from marketing.core.models import AuditEntry
from tests.factories.segments import SegmentFactory, StaticSegmentFactory, where

COMERS = where("visit_count", "gte", 1)


def export_of(segment):
    return reverse("segment-export", args=[segment.pk])


def take(client, segment, kind):
    answer = client.post(export_of(segment), {"format": kind})
    assert answer.status_code == 200, answer.content
    return answer, b"".join(answer.streaming_content)


def names(content):
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return {row["First name"] for row in rows}


@pytest.fixture
def comers(people):
    return SegmentFactory(rules=COMERS)


def test_the_page_leads_to_the_export_and_says_how_many_there_are(comers, login):
    client = login("manager")
    assert export_of(comers) in client.get(reverse("segment-detail", args=[comers.pk])).text
    page = client.get(export_of(comers)).text
    assert "1 customer" in page
    assert comers.name in page
    assert "kept in the audit trail" in page


@pytest.mark.parametrize(
    ("staff", "found"), [("owner", {"north", "south"}), ("manager", {"north"})]
)
def test_it_holds_the_members_of_the_actors_branches(comers, login, staff, found):
    answer, content = take(login(staff), comers, "csv")
    assert answer["Content-Disposition"] == 'attachment; filename="segment.csv"'
    assert names(content) == found
    entry = AuditEntry.objects.get(action="customer.export_list")
    assert entry.changes == {
        "segment_id": str(comers.pk),
        "format": "csv",
        "count": len(found),
        "masked": False,
    }


def test_a_list_is_exported_in_every_kind(people, login):
    never = Customer.objects.get(first_name="never")
    segment = StaticSegmentFactory(members=[never])
    client = login("manager")
    assert names(take(client, segment, "csv")[1]) == {"never"}
    assert [one["first_name"] for one in json.loads(take(client, segment, "json")[1])] == ["never"]
    assert take(client, segment, "xlsx")[1].startswith(b"PK")
    assert client.post(export_of(segment), {"format": "pdf"}).status_code == 400


def test_whoever_may_not_see_the_members_may_not_take_them(comers, login):
    client = login("receptionist")
    assert client.get(export_of(comers)).status_code == 403
    assert client.post(export_of(comers), {"format": "csv"}).status_code == 403
    assert export_of(comers) not in client.get(reverse("segment-detail", args=[comers.pk])).text


def test_segments_of_other_branches_and_broken_ones_are_not_exported(people, login):
    client = login("manager")
    elsewhere = SegmentFactory(rules=COMERS, branch_ids=[people.south.pk])
    assert client.get(export_of(elsewhere)).status_code == 404
    broken = SegmentFactory(rules=where("attributes.gone", "eq", "x"))
    assert export_of(broken) not in client.get(reverse("segment-detail", args=[broken.pk])).text
    assert client.post(export_of(broken), {"format": "csv"}).status_code == 400
