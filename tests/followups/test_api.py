"""`staff/followups` as Module 11 and the contract have it."""

import datetime as dt

import pytest

from marketing.core.models import Role
from marketing.core.tenancy import tenant_scope
from marketing.followups.models import FollowupReminder
from tests.factories.core import make_staff
from tests.factories.customers import CustomerFactory
from tests.factories.followups import FollowupFactory
from tests.page_queries import questions

URL = "/api/v1/staff/followups"


@pytest.fixture
def reminder(chain, asha):
    return FollowupFactory(
        staff=chain.receptionist, customer=asha, branch=chain.north, reminder_time=dt.time(17, 30)
    )


def listed(answer):
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["data"]]


def body(asha, **more):
    return {"customerId": str(asha.pk), "reminderDate": "2026-06-16", **more}


def test_made_and_shown(chain, asha, api):
    made = api("receptionist", "post", URL, body(asha, reminderTime="17:30", note="fringe"))
    assert made.status_code == 201, made.content
    told = made.json()["data"]["followup"]
    assert told == {
        "id": str(FollowupReminder.objects.get().pk),
        "staffId": str(chain.receptionist.pk),
        "staffName": "Receptionist",
        "customerId": str(asha.pk),
        "customerName": "Asha Sharma",
        "customerPhone": "+919876543210",
        "marketingOptedOut": False,
        "branchId": str(chain.north.pk),
        "reminderDate": "2026-06-16",
        "reminderTime": "17:30",
        "dueAt": "2026-06-16T12:00:00Z",
        "isOverdue": False,
        "note": "fringe",
        "status": "pending",
        "outcome": "",
        "completedAt": None,
        "createdAt": told["createdAt"],
    }


def test_a_key_makes_it_once(asha, api):
    first, again = (
        api("receptionist", "post", URL, body(asha), **{"Idempotency-Key": "k1"}) for _ in "ab"
    )
    assert first.status_code == again.status_code == 201
    assert first.json()["data"] == again.json()["data"]
    assert FollowupReminder.objects.count() == 1
    other = api("receptionist", "post", URL, body(asha, note="x"), **{"Idempotency-Key": "k1"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reminderDate": "2026-06-14"}, "reminderDate"),
        ({"reminderDate": "tomorrow"}, "reminderDate"),
        ({"reminderTime": "25:00"}, "reminderTime"),
        ({"customerId": "01972000-0000-7000-8000-000000000000"}, "customerId"),
        ({"staffId": "01972000-0000-7000-8000-000000000000"}, "staffId"),
        ({"note": "x" * 2_001}, "note"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(asha, api, wrong, field):
    answer = api("receptionist", "post", URL, body(asha) | wrong)
    assert answer.status_code == 400
    assert set(answer.json()["error"]["fields"]) == {field}
    assert not FollowupReminder.objects.exists()


def test_receptionists_see_their_own_and_managers_their_branches(chain, asha, reminder, api):
    other = FollowupFactory(staff=chain.manager, customer=asha, branch=chain.north, in_days=1)
    south = FollowupFactory(
        staff=make_staff(Role.RECEPTIONIST, chain.south),
        customer=asha,
        branch=chain.south,
        in_days=2,
    )
    ids = [str(each.pk) for each in (reminder, other, south)]
    assert listed(api("receptionist", "get", URL)) == ids[:1]
    assert listed(api("manager", "get", URL)) == ids[:2]
    assert listed(api("regional", "get", URL)) == ids
    assert listed(api("owner", "get", URL)) == ids


def test_filters(chain, asha, api):
    bela = CustomerFactory(home_branch=chain.north)
    mine = {"staff": chain.receptionist, "branch": chain.north}
    late = FollowupFactory(customer=asha, in_days=-3, **mine)
    now = FollowupFactory(customer=bela, **mine)
    soon = FollowupFactory(customer=asha, in_days=4, **mine)
    done = FollowupFactory(
        customer=asha,
        in_days=-1,
        status="completed",
        completed_at=dt.datetime(2026, 6, 14, tzinfo=dt.UTC),
        **mine,
    )
    for asked, expected in (
        ({"status": "completed"}, [done]),
        ({"due": "overdue"}, [late]),
        ({"due": "today"}, [now]),
        ({"due": "coming"}, [soon]),
        ({"due": "done"}, [done]),
        ({"customerId": str(bela.pk)}, [now]),
        ({"from": "2026-06-15", "to": "2026-06-15"}, [now]),
        ({"from": "2026-06-14", "status": "pending"}, [now, soon]),
        ({"staffId": str(chain.manager.pk)}, []),
    ):
        found = listed(api("receptionist", "get", URL, asked))
        assert found == [str(each.pk) for each in expected], asked
    for bad in ({"status": "x"}, {"due": "x"}, {"from": "x"}, {"staffId": "x"}):
        answer = api("receptionist", "get", URL, bad)
        assert answer.status_code == 400
        assert set(answer.json()["error"]["fields"]) == set(bad)


def test_overdue_from_midnight_of_the_branch(chain, reminder, api, noon):
    def is_overdue():
        return api("receptionist", "get", URL).json()["data"][0]["isOverdue"]

    noon.move_to(dt.datetime(2026, 6, 15, 18, 29, 59, tzinfo=dt.UTC))
    assert not is_overdue()
    assert listed(api("receptionist", "get", URL, {"due": "today"}))
    noon.move_to(dt.datetime(2026, 6, 15, 18, 30, tzinfo=dt.UTC))
    assert is_overdue()
    assert listed(api("receptionist", "get", URL, {"due": "overdue"}))
    chain.north.time_zone = "Europe/London"
    chain.north.save()
    assert not is_overdue()


def test_changed_closed_and_opened_again(reminder, api):
    url = f"{URL}/{reminder.pk}"

    def patch(**values):
        answer = api("receptionist", "patch", url, values)
        assert answer.status_code == 200, answer.content
        return answer.json()["data"]["followup"]

    assert patch(reminderDate="2026-06-20", reminderTime=None)["dueAt"] == "2026-06-19T18:30:00Z"
    done = patch(outcome="booked", note="Friday at four")
    assert (done["status"], done["outcome"], done["note"]) == (
        "completed",
        "booked",
        "Friday at four",
    )
    assert done["completedAt"] == "2026-06-15T06:30:00.000000Z"
    refused = api("receptionist", "patch", url, {"status": "dismissed"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "MARKETING_409")
    opened = patch(status="pending")
    assert (opened["completedAt"], opened["outcome"]) == (None, "")
    assert patch(status="dismissed")["status"] == "dismissed"


def test_a_patch_that_is_refused_changes_nothing(reminder, api):
    for values, field in (
        ({"note": "x", "status": "dismissed", "outcome": "booked"}, "outcome"),
        ({"note": "x", "outcome": "eloped"}, "outcome"),
        ({"note": "x", "reminderDate": "2020-01-01"}, "reminderDate"),
        ({"note": "x", "customerId": str(reminder.customer_id)}, "customerId"),
    ):
        answer = api("receptionist", "patch", f"{URL}/{reminder.pk}", values)
        assert answer.status_code == 400
        assert set(answer.json()["error"]["fields"]) == {field}
    reminder.refresh_from_db()
    assert (reminder.note, reminder.status) == ("Ask how the colour held", "pending")


def test_deleted(reminder, api):
    assert api("receptionist", "delete", f"{URL}/{reminder.pk}").status_code == 204
    assert not FollowupReminder.objects.exists()


def test_anothers_is_not_found(chain, asha, other_chain, api):
    colleague = make_staff(Role.RECEPTIONIST, chain.north)
    theirs = FollowupFactory(staff=colleague, customer=asha, branch=chain.north)
    south = FollowupFactory(
        staff=make_staff(Role.RECEPTIONIST, chain.south), customer=asha, branch=chain.south
    )
    with tenant_scope(other_chain.tenant.pk):
        foreign = FollowupFactory(staff=other_chain.receptionist, branch=other_chain.north)
    for staff, row in (("receptionist", theirs), ("manager", south), ("owner", foreign)):
        url = f"{URL}/{row.pk}"
        assert api(staff, "patch", url, {"note": "x"}).status_code == 404
        assert api(staff, "delete", url).status_code == 404
    assert FollowupReminder.objects.exclude(note="x").count() == 2


@pytest.mark.parametrize("count", [1, 9])
def test_the_list_takes_the_same_queries_however_long(chain, login, count):
    for day in range(count):
        FollowupFactory(staff=chain.receptionist, branch=chain.north, in_days=day)
    asked, _fragments = questions(login("manager"), URL)
    assert len(asked) == 4, "\n".join(asked)
