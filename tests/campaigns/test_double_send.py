"""Two presses of Send at the same moment: one run, whoever wins."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from marketing.campaigns import services
from marketing.campaigns.models import Campaign, CampaignRun
from marketing.campaigns.services import sending, transitions
from marketing.core.errors import InvalidCampaignStatus
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import SendRun
from tests.concurrency import PATIENCE
from tests.factories.campaigns import approved, make_ground
from tests.factories.core import make_chain

PRESSES = 2


@pytest.fixture
def ready(transactional_db, tasks):
    """An approved campaign, committed, so that other connections see it."""
    chain = make_chain()
    with tenant_scope(chain.tenant.pk):
        make_ground(chain.north)
        return chain, approved(chain.manager, chain.regional)


def press_together(chain, campaign):
    """Every press has looked at the campaign before any of them writes."""
    looked = threading.Barrier(PRESSES, timeout=PATIENCE)

    def press(_):
        try:
            with tenant_scope(chain.tenant.pk):
                mine = Campaign.objects.select_related("template", "segment").get(pk=campaign.pk)
                looked.wait()
                services.send_campaign(actor=chain.actor(chain.manager), campaign=mine)
                return "sent"
        except InvalidCampaignStatus:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(PRESSES) as pool:
        return sorted(pool.map(press, range(PRESSES)))


def runs_of(chain):
    with tenant_scope(chain.tenant.pk):
        return CampaignRun.objects.count(), SendRun.objects.count()


def test_one_of_two_presses_sends(ready):
    chain, campaign = ready
    assert press_together(chain, campaign) == ["refused", "sent"]
    assert runs_of(chain) == (1, 1)


def hold_no_money(monkeypatch):
    """A campaign's money is held once, which would stop the second press as well."""
    monkeypatch.setattr(sending.money, "hold_as_counted", lambda *_: None)


def test_without_the_row_lock_the_conditional_update_still_lets_one_through(ready, monkeypatch):
    chain, campaign = ready
    monkeypatch.setattr(sending, "lock", lambda campaign, **_: campaign)
    hold_no_money(monkeypatch)
    assert press_together(chain, campaign) == ["refused", "sent"]
    assert runs_of(chain) == (1, 1)


def test_without_either_guard_both_would_send(ready, monkeypatch):
    """Shows that the two tests above can fail."""
    chain, campaign = ready
    monkeypatch.setattr(sending, "lock", lambda campaign, **_: campaign)
    hold_no_money(monkeypatch)

    def move_anyway(campaign, action, to, **values):
        Campaign.objects.filter(pk=campaign.pk).update(status=to)
        return campaign

    monkeypatch.setattr(sending, "move", move_anyway)
    monkeypatch.setattr(transitions, "move", move_anyway)
    numbers = iter(range(1, 10))
    monkeypatch.setattr(sending, "next_number", lambda campaign: next(numbers))
    assert press_together(chain, campaign) == ["sent", "sent"]
    assert runs_of(chain) == (2, 2)
