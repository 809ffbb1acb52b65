"""The pages of a staff member with a phone in her hand, by plain form posts."""

import datetime as dt
from urllib.parse import unquote

import pytest
from django.urls import reverse
from django.utils import translation

from marketing.core.models import Role
from marketing.core.tenancy import tenant_scope
from marketing.followups import contact
from marketing.followups.models import FollowupReminder
from tests.factories.core import make_staff
from tests.factories.customers import CustomerFactory
from tests.factories.followups import FollowupFactory
from tests.followups.conftest import TODAY
from tests.page_queries import questions

LIST = "/followups"


def act(name, reminder):
    return reverse(f"followup-{name}", args=[reminder.pk])


@pytest.fixture
def reminder(chain, asha):
    return FollowupFactory(staff=chain.receptionist, customer=asha, branch=chain.north)


@pytest.fixture
def desk(login):
    return login("receptionist")


def test_one_tap_calls_or_writes(reminder, desk):
    text = desk.get(LIST).text
    assert 'href="tel:+919876543210"' in text
    assert "https://wa.me/919876543210?text=Hello%20Asha" in text
    assert reminder.note in text


def test_the_greeting_is_in_the_customers_language(chain, asha, monkeypatch):
    monkeypatch.setattr(contact, "_", lambda text: f"{translation.get_language()}: {text}")
    asha.language = "hi"
    with translation.override("en"):
        link = contact.whatsapp_link(asha, chain.receptionist, chain.tenant)
    said = unquote(link.partition("text=")[2])
    assert said.startswith("hi: Hello Asha, this is Receptionist of Chain")
    assert "&" not in link.partition("text=")[2]


def test_names_cannot_break_out_of_the_link(chain, asha):
    asha.first_name = 'A&text=x#"<b>'
    link = contact.whatsapp_link(asha, chain.receptionist, chain.tenant)
    assert not set('&#"<>') & set(link.partition("text=")[2])


def test_days_have_their_tabs(chain, desk):
    mine = {"staff": chain.receptionist, "branch": chain.north}
    for days, name in ((-3, "Late"), (0, "Now"), (4, "Soon")):
        FollowupFactory(customer=CustomerFactory(first_name=name), in_days=days, **mine)
    FollowupFactory(
        customer=CustomerFactory(first_name="Over"),
        status="completed",
        outcome="booked",
        completed_at=dt.datetime(2026, 6, 14, tzinfo=dt.UTC),
        **mine,
    )
    for show, name in (("overdue", "Late"), ("today", "Now"), ("coming", "Soon"), ("done", "Over")):
        text = desk.get(LIST, {"show": show}).text
        assert [each for each in ("Late", "Now", "Soon", "Over") if f">{each} Sharma<" in text] == [
            name
        ]
    assert desk.get(LIST, {"show": "nonsense"}).context["due"] == "today"


@pytest.mark.parametrize("outcome", FollowupReminder.Outcome.values)
def test_a_tap_says_what_came_of_it(reminder, desk, outcome):
    answer = desk.post(
        act("complete", reminder), {"outcome": outcome, "next": LIST + "?show=today"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, LIST + "?show=today")
    reminder.refresh_from_db()
    assert (reminder.status, reminder.outcome) == ("completed", outcome)


def test_no_answer_is_tried_tomorrow(reminder, desk):
    desk.post(act("complete", reminder), {"outcome": "no_answer", "again": "tomorrow"})
    again = FollowupReminder.objects.get(status="pending")
    assert again.reminder_date == TODAY + dt.timedelta(days=1)


def test_put_off_dismissed_opened_and_deleted(reminder, desk):
    assert desk.post(act("snooze", reminder), {"until": "next_week"}).status_code == 302
    reminder.refresh_from_db()
    assert reminder.reminder_date == TODAY + dt.timedelta(days=7)
    for name, status in (("dismiss", "dismissed"), ("reopen", "pending")):
        assert desk.post(act(name, reminder)).status_code == 302
        reminder.refresh_from_db()
        assert reminder.status == status
    assert desk.post(act("delete", reminder)).status_code == 302
    assert not FollowupReminder.objects.exists()


def test_refusals_say_why(reminder, desk):
    assert desk.post(act("snooze", reminder), {"until": "never"}).status_code == 400
    assert desk.post(act("complete", reminder), {"outcome": "eloped"}).status_code == 400
    desk.post(act("dismiss", reminder))
    answer = desk.post(act("complete", reminder), {"outcome": "booked"})
    assert answer.status_code == 409
    assert "closed already" in answer.text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_one_goes_back_within_the_house(reminder, desk, target):
    answer = desk.post(act("dismiss", reminder), {"next": target})
    assert answer.headers["Location"] == LIST


def test_a_reminder_is_made_from_the_customers_page(chain, asha, desk):
    page = reverse("customer-detail", args=[asha.pk])
    new = reverse("followup-new", args=[asha.pk])
    assert f"{new}?next={page}" in desk.get(page).text
    shown = desk.get(new, {"next": page})
    assert 'value="2026-06-16"' in shown.text
    assert 'name="staff"' not in shown.text
    values = {
        "reminder_date": "2026-06-18",
        "reminder_time": "11:00",
        "note": "fringe",
        "next": page,
    }
    assert desk.post(new, values).headers["Location"] == page
    made = FollowupReminder.objects.get()
    assert (made.staff, made.reminder_time) == (chain.receptionist, dt.time(11))
    assert "fringe" in desk.get(page).text
    refused = desk.post(new, values | {"reminder_date": "2026-06-01"})
    assert refused.status_code == 422
    assert "This day is over" in refused.text
    assert FollowupReminder.objects.count() == 1


def test_a_manager_reminds_a_colleague(chain, asha, login):
    new = reverse("followup-new", args=[asha.pk])
    client = login("manager")
    elsewhere = make_staff(Role.RECEPTIONIST, chain.west)
    assert f'value="{chain.receptionist.pk}"' in client.get(new).text
    values = {"reminder_date": "2026-06-18", "staff": elsewhere.pk}
    assert client.post(new, values).status_code == 422
    assert client.post(new, values | {"staff": chain.receptionist.pk}).status_code == 302
    made = FollowupReminder.objects.get()
    assert (made.staff, made.created_by) == (chain.receptionist, chain.manager)
    assert "From Branch manager" in login("receptionist").get(LIST, {"show": "coming"}).text


def test_edited(reminder, desk):
    shown = desk.get(act("edit", reminder)).text
    assert reminder.note in shown
    values = {"reminder_date": "2026-06-20", "reminder_time": "", "note": "her mother"}
    assert desk.post(act("edit", reminder), values).status_code == 302
    reminder.refresh_from_db()
    assert (reminder.reminder_date, reminder.note) == (dt.date(2026, 6, 20), "her mother")
    refused = desk.post(act("edit", reminder), values | {"reminder_date": ""})
    assert refused.status_code == 422


def test_whose_a_manager_sees(chain, reminder, login, desk):
    client = login("manager")
    assert "Asha" not in client.get(LIST).text
    for asked in ("all", chain.receptionist.pk):
        text = client.get(LIST, {"staff": asked}).text
        assert "Asha" in text
        assert "For Receptionist" in text
    assert "Asha" not in login("regional").get(LIST).text
    for asked in ("all", chain.manager.pk, "nobody"):
        assert desk.get(LIST, {"staff": asked}).status_code == 404


def test_anothers_is_not_found(chain, reminder, login, other_chain):
    with tenant_scope(other_chain.tenant.pk):
        foreign = FollowupFactory(staff=other_chain.receptionist, branch=other_chain.north)
    south = FollowupFactory(staff=make_staff(Role.RECEPTIONIST, chain.south), branch=chain.south)
    for row in (south, foreign):
        for name in ("edit", "complete", "snooze", "dismiss", "reopen", "delete"):
            assert login("manager").post(act(name, row)).status_code == 404
    south.refresh_from_db()
    assert south.status == "pending"


def test_erased_people_cannot_be_reminded_of(chain, asha, desk):
    type(asha).objects.filter(pk=asha.pk).update(status="erased")
    assert desk.get(reverse("followup-new", args=[asha.pk])).status_code == 404


def test_who_opted_out_is_marked(chain, desk):
    out = CustomerFactory(consent={"marketing_opted_out": True})
    FollowupFactory(staff=chain.receptionist, customer=out, branch=chain.north)
    assert "Call about visits, not about offers" in desk.get(LIST).text


def test_the_home_page_says_whom_to_call_today(chain, reminder, desk, login):
    FollowupFactory(
        staff=chain.receptionist, branch=chain.north, in_days=1, customer__first_name="Tomorrow"
    )
    text = desk.get("/").text
    assert "Call today" in text
    assert "Asha" in text
    assert "Tomorrow" not in text
    assert "Call today" not in login("manager").get("/").text


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("show", ["today", "done"])
def test_the_list_takes_the_same_queries_however_long(chain, login, count, show):
    closed = dt.datetime(2026, 6, 14, tzinfo=dt.UTC)
    values = {"status": "completed", "completed_at": closed} if show == "done" else {}
    for _number in range(count):
        FollowupFactory(
            staff=chain.receptionist, created_by=chain.owner, branch=chain.north, **values
        )
    asked, fragments = questions(login("manager"), f"{LIST}?staff=all&show={show}")
    assert fragments == 0
    assert len(asked) == 12, "\n".join(asked)
