"""What was counted at submission is kept, shown to the approver, and counted anew in time."""

import datetime as dt
import json

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketing.campaigns import services
from marketing.campaigns.models import Campaign
from marketing.campaigns.selectors import plan
from marketing.campaigns.tasks import recount_waiting
from marketing.core import clock
from marketing.delivery.estimate import Estimate
from tests.factories.campaigns import everybody, make_campaign, make_ground
from tests.factories.customers import CustomerFactory
from tests.factories.segments import SegmentFactory, where


@pytest.fixture
def waiting(chain):
    """A campaign for three people that waits for its approver."""
    make_ground(chain.north)
    campaign = make_campaign(chain.manager)
    actor = chain.actor(chain.manager)
    services.submit_campaign(actor=actor, campaign=campaign)
    return Campaign.objects.get()


def test_an_estimate_outlives_its_storing(waiting, chain):
    CustomerFactory(phone="", home_branch=chain.north)
    counted = plan.estimate(waiting, clock.now())
    assert counted.reasons == {"no_address": 1}
    assert Estimate.from_json(json.loads(json.dumps(counted.to_json()))) == counted


@pytest.mark.parametrize(
    ("login_name", "view"), [("regional", "campaign-decision"), ("manager", "campaign-estimate")]
)
def test_the_page_shows_what_was_counted_until_somebody_asks_again(
    waiting, chain, login, login_name, view
):
    CustomerFactory(home_branch=chain.north)
    client, address = login(login_name), reverse(view, args=[waiting.pk])
    kept = client.get(address)
    assert kept.context["outlook"].estimate.total == 3
    assert "Count again" in kept.content.decode()
    fresh = client.get(f"{address}?again=1")
    assert fresh.context["outlook"].estimate.total == 4
    assert "Count again" not in fresh.content.decode()


@pytest.mark.parametrize(("asked", "is_counted"), [("", False), ("?again=1", True)])
def test_the_kept_count_asks_for_nobody(waiting, login, asked, is_counted):
    client, address = login("manager"), reverse("campaign-estimate", args=[waiting.pk])
    with CaptureQueriesContext(connection) as queries:
        client.get(address + asked)
    assert any("GROUP BY reason, step" in query["sql"] for query in queries) == is_counted


def counts(client, address, **data):
    """What the page says, and whether it asked the gate for that."""
    with CaptureQueriesContext(connection) as queries:
        shown = client.get(address, data).context["outlook"].estimate.total
    return shown, any("GROUP BY reason, step" in query["sql"] for query in queries)


def test_a_draft_shows_what_was_counted_as_it_was_saved(chain, login):
    make_ground(chain.north)
    segment, nobody = everybody(), SegmentFactory(rules=where("visit_count", "gte", 99))
    draft = make_campaign(chain.manager, segment_id=segment.pk)
    CustomerFactory(home_branch=chain.north)
    client, address = login("manager"), reverse("campaign-estimate", args=[draft.pk])
    assert counts(client, address) == (3, False)
    assert counts(client, address, segment=str(segment.pk)) == (3, False)
    assert counts(client, address, again="1") == (4, True)
    assert counts(client, address, segment=str(nobody.pk)) == (0, True)
    assert counts(client, address, segment="everyone") == (4, True)
    assert counts(client, address, segment=str(segment.pk), excluded=str(nobody.pk)) == (4, True)
    draft.refresh_from_db()
    draft = services.update_campaign(
        actor=chain.actor(chain.manager), campaign=draft, values={"name": "Holi glow"}
    )
    assert counts(client, address) == (4, False)
    with time_machine.travel(draft.counted_at + dt.timedelta(minutes=10, seconds=1), tick=False):
        assert counts(login("manager"), address) == (4, True)


def test_it_is_counted_anew_after_ten_minutes(waiting, chain):
    CustomerFactory(home_branch=chain.north)
    recount_waiting()
    waiting.refresh_from_db()
    assert waiting.counted["total"] == 3
    Campaign.objects.update(counted=None, counted_at=None)
    recount_waiting()
    waiting.refresh_from_db()
    assert waiting.counted["total"] == 4
    CustomerFactory(home_branch=chain.north)
    with time_machine.travel(waiting.counted_at + dt.timedelta(minutes=10, seconds=1), tick=False):
        recount_waiting()
        waiting.refresh_from_db()
        assert (waiting.counted["total"], waiting.counted_at) == (5, clock.now())
    assert waiting.status == "pending_approval"


def test_who_approves_is_bound_by_what_is_true_now(waiting, chain):
    """The kept count is for reading only."""
    CustomerFactory(home_branch=chain.north)
    services.approve_campaign(actor=chain.actor(chain.regional), campaign=waiting)
    waiting.refresh_from_db()
    assert waiting.approved_recipients == 4
