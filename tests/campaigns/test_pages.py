"""The pages: the campaign's own, the inbox, home; refusals and rights."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer
from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.campaigns.services import runs
from marketing.campaigns.views import recipients
from marketing.core import clock
from marketing.core.models import Branch, Role
from marketing.core.tenancy import tenant_scope
from marketing.delivery import estimate
from marketing.delivery.counters import Move, move_counters
from marketing.delivery.models import DispatchBatch, Message, SendRun
from tests.factories.campaigns import approved, make_campaign, make_ground, submitted
from tests.factories.content import TemplateFactory
from tests.factories.core import make_staff
from tests.factories.customers import CustomerFactory
from tests.factories.policy import set_branch_config

STEPS = ("details", "audience", "message", "offer", "schedule", "review")


@pytest.fixture(autouse=True)
def ground(chain):
    make_ground(chain.north, people=3)


def page(campaign, name="campaign-detail", *more):
    return reverse(name, args=[campaign.pk, *more])


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def sending(chain):
    campaign = approved(chain.manager, chain.regional)
    run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    runs.start_run(campaign_run_id=run.pk)
    return campaign, run


def test_approving_ones_own_is_neither_offered_nor_done(chain, login):
    campaign = submitted(chain.regional)
    client = login("regional")
    assert campaign.name not in text_of(client.get(reverse("approval-inbox")))
    assert page(campaign, "campaign-approve") not in client.get(page(campaign)).content.decode()
    answer = client.post(page(campaign, "campaign-approve"))
    assert answer.status_code == 403
    assert "somebody else must decide" in text_of(answer)
    assert Campaign.objects.get().status == "pending_approval"


def test_editing_after_approval_warns_and_voids(chain, login):
    campaign = approved(chain.manager, chain.regional)
    client = login("manager")
    url = page(campaign, "campaign-edit", "details")
    assert "needs approval again" in text_of(client.get(url))
    client.post(url, {"name": "Other", "channel": "whatsapp"})
    assert Campaign.objects.get().status == "draft"
    answer = client.post(page(campaign, "campaign-send"))
    assert answer.status_code == 409
    assert "not possible" in text_of(answer)


def test_rejecting_needs_a_reason_and_shows_it_to_the_author(chain, login):
    campaign = submitted(chain.manager)
    approver = login("regional")
    answer = approver.post(page(campaign, "campaign-reject"), {"reason": ""})
    assert answer.status_code == 422
    assert "Say why" in text_of(answer)
    stale = approver.post(page(campaign, "campaign-reject"), {"reason": "Later", "version": "²"})
    assert stale.status_code == 409
    approver.post(page(campaign, "campaign-ask-for-changes"), {"reason": "Shorter, please"})
    home = text_of(login("manager").get(reverse("home")))
    assert "Sent back" in home
    assert "Shorter, please" in home


def test_the_budget_refuses_the_approval(chain, login):
    campaign = submitted(chain.manager)
    set_branch_config(chain.north, monthly_budget_limit=Decimal("0.10"))
    answer = login("regional").post(page(campaign, "campaign-approve"))
    assert answer.status_code == 409
    assert "budget" in text_of(answer)
    assert Campaign.objects.get().status == "pending_approval"


def test_a_second_press_of_send_says_it_is_on_its_way(chain, login):
    campaign = approved(chain.manager, chain.regional)
    client = login("manager")
    client.post(page(campaign, "campaign-send"))
    answer = client.post(page(campaign, "campaign-send"), follow=True)
    assert answer.status_code == 200
    assert "already on its way" in text_of(answer)
    assert SendRun.objects.count() == 1


def test_the_page_polls_while_sending_and_stops_after(chain, login):
    campaign, run = sending(chain)
    client = login("manager")
    live = page(campaign, "campaign-live")
    assert "every 2s" in client.get(live).content.decode()
    DispatchBatch.objects.filter(run_id=run.send_run_id, number__gt=0).update(
        queued=0, sent=1, delivered=1, read=1, state="done"
    )
    SendRun.objects.filter(pk=run.send_run_id).update(state="done")
    runs.note_run_finished(send_run_id=run.send_run_id)
    answer = client.get(live)
    assert "every 2s" not in answer.content.decode()
    shown = text_of(answer)
    assert 'data-audience="3"' in answer.content.decode()
    assert "Sent 3" in shown
    assert "66.7%" in shown


def test_pause_resume_and_cancel_from_the_page(chain, login):
    campaign, _ = sending(chain)
    client = login("manager")
    for act, status in [("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")]:
        assert page(campaign, f"campaign-{act}") in client.get(page(campaign)).content.decode()
        client.post(page(campaign, f"campaign-{act}"))
        assert Campaign.objects.get().status == status


def test_recipients_are_filtered_searched_and_masked(chain, login):
    campaign, run = sending(chain)
    Message.objects.filter(run_id=run.send_run_id).update(address="+919820012345")
    message = Message.objects.filter(run_id=run.send_run_id).select_related("customer").first()
    Message.objects.filter(pk=message.pk).update(state="skipped", reason="dnd")
    move_counters([Move(message.batch_id, "queued", "skipped", 1, "", "dnd")])
    client = login("manager")
    shown = text_of(client.get(page(campaign), {"state": "skipped", "reason": "dnd"}))
    assert message.customer.name in shown
    assert "do-not-disturb" in shown
    assert "+91 98200 12345" in shown
    found = text_of(client.get(page(campaign), {"q": message.customer.first_name}))
    assert found.count("Sharma") == shown.count("Sharma") == 1
    masked = text_of(login("receptionist").get(page(campaign)))
    assert "+919820012345" not in masked
    assert "+919****45" in masked


def test_the_people_are_looked_for_until_they_are_put_together(chain, login):
    campaign = approved(chain.manager, chain.regional)
    run = services.send_campaign(actor=chain.actor(chain.manager), campaign=campaign)
    looks = 'hx-select="#recipients" hx-swap="outerHTML"'
    client = login("manager")
    asked = re.compile('id="recipients" hx-get="[^"]+" hx-trigger="every 2s" ' + looks)
    assert asked.search(client.get(page(campaign)).content.decode())
    runs.start_run(campaign_run_id=run.pk)
    assert not asked.search(client.get(page(campaign)).content.decode())


def test_a_reason_that_narrows_the_people_is_seen_and_can_be_taken_away(chain, login):
    campaign, _ = sending(chain)
    shown = login("manager").get(page(campaign), {"state": "skipped", "reason": "no_consent"})
    assert "Only: Has not agreed to this channel" in text_of(shown)
    assert 'type="checkbox" name="reason" value="no_consent" checked' in shown.content.decode()


@pytest.mark.parametrize("words", ["asha", "आशा", "98765"])
def test_many_called_alike_are_all_found(chain, login, monkeypatch, words):
    """However many of the chain are called so: whoever got it is found."""
    CustomerFactory.create_batch(4, first_name="आशा", home_branch=chain.west)
    campaign, run = sending(chain)
    people = Message.objects.filter(run_id=run.send_run_id)
    hers = Customer.objects.filter(pk__in=people.values("customer_id"))
    for number, customer in enumerate(hers):
        customer.first_name = f"{'आशा' if words == 'आशा' else 'Asha'}{number}"
        customer.phone = f"+91987654{number:04}"
        customer.save()
    monkeypatch.setattr(recipients, "FEW_CUSTOMERS", 1)
    client = login("manager")
    found = client.get(page(campaign), {"q": words})
    assert [one.customer_id for one in found.context["people"]] == list(
        people.order_by("pk").values_list("customer_id", flat=True)
    )
    monkeypatch.setattr(recipients, "PEOPLE_PER_PAGE", 2)
    first = client.get(page(campaign), {"q": words}).context
    rest = client.get(page(campaign), {"q": words, "after": first["after"]}).context
    assert len(first["people"]) == 2
    assert len(rest["people"]) == people.count() - 2
    assert rest["after"] is None


@pytest.mark.parametrize("status", ["scheduled", "paused"])
def test_the_page_looks_now_and_then_while_it_waits(chain, login, status):
    """What goes on by itself is seen to go on."""
    campaign = approved(chain.manager, chain.regional)
    Campaign.objects.filter(pk=campaign.pk).update(
        status=status,
        next_run_at=clock.now() + dt.timedelta(days=1),
        pause_reason="budget" if status == "paused" else "",
        paused_from="sending" if status == "paused" else "",
    )
    live = login("manager").get(page(campaign, "campaign-live")).content.decode()
    assert "every 15s" in live


def test_samples_are_real_messages(chain, login):
    campaign = submitted(chain.manager)
    shown = login("regional").get(page(campaign, "campaign-decision")).content.decode()
    assert "Will get it" in shown
    assert shown.count("<figure") == 3
    assert "Sharma" in shown


@pytest.mark.parametrize("where", ["campaign-detail", "approval-inbox"])
def test_an_approver_reads_whose_campaign_it_is(chain, login, where):
    campaign = submitted(chain.manager)
    address = reverse(where, args=[campaign.pk] if where == "campaign-detail" else [])
    assert "· North" in text_of(login("regional").get(address))


def test_of_two_who_share_a_phone_one_is_among_the_samples(chain, login):
    campaign = submitted(chain.manager)
    CustomerFactory.create_batch(2, home_branch=chain.north, phone="+919820099999")
    shown = login("regional").get(page(campaign, "campaign-decision")).content.decode()
    assert shown.count("<figure") == 4


def test_samples_are_looked_for_among_everybody_when_the_first_may_not_be_written_to(
    chain, login, monkeypatch
):
    CustomerFactory.create_batch(12, home_branch=chain.north, consent=False)
    campaign = submitted(chain.manager)
    monkeypatch.setattr(estimate, "LOOKED_AT", 1)
    shown = login("regional").get(page(campaign, "campaign-decision")).content.decode()
    assert shown.count("<figure") == 3


def test_a_test_message(chain, login, colleague):
    campaign = make_campaign(chain.manager)
    client = login("manager")
    answer = client.post(page(campaign, "campaign-test"), {"customer": "", "to": ""})
    assert answer.status_code == 422
    assert "address is not known" in text_of(answer)
    answer = client.post(
        page(campaign, "campaign-test"),
        {"customer": "", "to": str(colleague.pk), "language": "hi"},
        follow=True,
    )
    assert "+919820012345. It costs ₹" in text_of(answer)
    message = Message.objects.get()
    assert (message.kind, message.language) == ("test", "hi")


def test_a_test_that_is_refused_keeps_what_was_typed(chain, login, colleague):
    campaign = make_campaign(chain.manager)
    typed = {"customer": "Nobody Known", "to": str(colleague.pk), "language": "hi"}
    answer = login("manager").post(page(campaign, "campaign-test"), typed)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "Nobody is called “Nobody Known”." in shown
    assert 'value="Nobody Known"' in shown
    assert re.search(r'<dialog[^>]*id="test-send"[^>]* open', shown)
    assert '<option value="hi" selected' in shown
    assert not Message.objects.exists()


def test_a_test_message_goes_to_those_of_the_list_only(chain, login):
    campaign = make_campaign(chain.manager)
    elsewhere = make_staff(Role.RECEPTIONIST, chain.south, name="Ravi of the south")
    client = login("manager")
    assert "Ravi of the south" not in text_of(client.get(page(campaign)))
    answer = client.post(page(campaign, "campaign-test"), {"to": str(elsewhere.pk)})
    assert answer.status_code == 422
    assert "Choose one of the list." in text_of(answer)
    assert not Message.objects.exists()


@pytest.mark.parametrize(("language", "label"), [("en", "Branch phone"), ("hi", "शाखा का फ़ोन")])
def test_a_test_message_without_a_value_names_the_field_as_the_pages_do(
    chain, login, colleague, language, label
):
    contents = {code: {"body": "{{ branch_phone }} ☎"} for code in ("en", "hi")}
    campaign = make_campaign(chain.manager, template_id=TemplateFactory(contents=contents).pk)
    Branch.objects.update(phone="")
    client = login("manager")
    client.cookies["django_language"] = language
    answer = client.post(page(campaign, "campaign-test"), {"customer": "", "to": str(colleague.pk)})
    assert answer.status_code == 422
    said = text_of(answer)
    assert f"“{label}”" in said
    assert "branch_phone" not in said
    assert not Message.objects.exists()


ACTS = (
    *("submit", "approve", "reject", "ask-for-changes", "schedule", "send"),
    *("pause", "resume", "cancel", "copy", "delete", "test"),
)


def test_receptionists_only_look(chain, login):
    campaign = make_campaign(chain.manager)
    client = login("receptionist")
    assert client.get(page(campaign)).status_code == 200
    for act in ACTS:
        answer = client.post(page(campaign, f"campaign-{act}"), {"reason": "x"})
        assert answer.status_code == 403, act
        assert list(Campaign.objects.values_list("status", "version")) == [("draft", 1)], act


def test_a_page_asks_only_for_what_the_reader_may_see(chain, login):
    campaign = submitted(chain.manager)
    count = page(campaign, "campaign-estimate")
    assert count in login("manager").get(page(campaign)).content.decode()
    assert count not in login("receptionist").get(page(campaign)).content.decode()


def test_anothers_campaign_is_not_there(chain, login, other_chain):
    elsewhere = make_campaign(make_staff(Role.BRANCH_MANAGER, chain.west))
    with tenant_scope(other_chain.tenant.pk):
        foreign = make_campaign(other_chain.owner)
    client = login("regional")
    for campaign in (elsewhere, foreign):
        for answer in (
            client.get(page(campaign)),
            *(client.post(page(campaign, f"campaign-{act}"), {"reason": "x"}) for act in ACTS),
            *(client.get(page(campaign, "campaign-edit", step)) for step in STEPS),
        ):
            assert answer.status_code == 404
            said = text_of(answer)
            assert "There is no such thing, or it is not yours to see." in said
            assert "Go to the start page" in said
    assert elsewhere.name not in text_of(client.get(reverse("campaign-list")))


def test_actions_are_posts(chain, login):
    campaign = make_campaign(chain.manager)
    for act in ACTS:
        assert login("owner").get(page(campaign, f"campaign-{act}")).status_code == 405


def test_pages_ask_for_a_login(chain, client):
    for url in (reverse("home"), reverse("campaign-list"), reverse("campaign-new")):
        assert client.get(url).url.startswith("/login")


def test_home_is_what_the_role_needs(chain, login):
    waiting, (running, _) = submitted(chain.manager, name="Waiting one"), sending(chain)
    receptionist = text_of(login("receptionist").get(reverse("home")))
    assert "Find a customer" in receptionist
    assert "What needs you" not in receptionist
    assert "Spend this month" not in receptionist
    manager = text_of(login("manager").get(reverse("home")))
    assert waiting.name not in manager
    assert running.name in manager
    approver = text_of(login("regional").get(reverse("home")))
    assert waiting.name in approver
    set_branch_config(chain.north, monthly_budget_limit=Decimal("5000"))
    assert "North" in text_of(login("manager").get(reverse("home")))


def test_every_page_takes_few_queries(chain, login):
    campaign, _ = sending(chain)
    for _ in range(4):
        approved(chain.manager, chain.regional)
        waiting = submitted(chain.manager)
    draft = make_campaign(chain.manager)
    client, approver = login("manager"), login("regional")
    # They judge the audience, for which every app below reads its settings.
    fragments = [page(draft, "campaign-estimate"), page(waiting, "campaign-decision")]
    pages = [
        (client, reverse("home")),
        (client, reverse("campaign-list")),
        (client, page(campaign)),
        (client, page(campaign, "campaign-live")),
        *((approver, url) for url in fragments),
        (approver, reverse("approval-inbox")),
        (approver, reverse("home")),
        (approver, page(waiting)),
        *((client, page(draft, "campaign-edit", step)) for step in STEPS),
    ]
    for browser, url in pages:
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(url).status_code == 200
        limit = 22 if url in fragments else 20
        assert len(seen) <= limit, (url, [query["sql"] for query in seen])
