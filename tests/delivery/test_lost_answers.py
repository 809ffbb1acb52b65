"""What got no answer: asked of the vendor where it can be asked, else decided by somebody."""

import datetime as dt
import json
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from urllib.parse import parse_qs, urlparse

import pytest
from django.utils import timezone

from marketing.core.errors import Conflict, Forbidden
from marketing.core.models import AuditEntry
from marketing.core.tenancy import tenant_scope
from marketing.delivery.models import Message, ProviderReference
from marketing.delivery.selectors import causes_of
from marketing.delivery.services import (
    decide_unknown,
    freeze_run,
    look_up_unknown,
    retry_failed,
)
from marketing.policy.models import Provider, ProviderAccount
from tests.factories.content import TemplateFactory
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import (
    become,
    everyone,
    finish,
    make_run,
    make_sender,
    open_all_hours,
    states_of,
)
from tests.factories.policy import make_account, set_config
from tests.loopback import serving

TEXT = {"en": {"body": "We have missed you."}}


@pytest.fixture
def twilio():
    """Twilio's list of messages; `known` maps a phone to what it has of it."""
    known, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            (to,) = parse_qs(urlparse(self.path).query)["To"]
            asked.append(to)
            body = json.dumps({"messages": known.get(to, [])}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        yield SimpleNamespace(url=url, known=known, asked=asked)


def listed(sid, **values):
    made = (timezone.now() + dt.timedelta(seconds=5)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return {
        "sid": sid,
        "body": TEXT["en"]["body"],
        "direction": "outbound-api",
        "status": "delivered",
        "date_created": made,
    } | values


@pytest.fixture
def run(live_chain, twilio, settings):
    """Three messages by Twilio whose answers were lost three minutes ago."""
    settings.SANDBOX_URL = twilio.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_account(Provider.TWILIO, base_url=twilio.url, is_default=True)
        CustomerFactory.create_batch(3, home_branch=live_chain.north)
        made = make_run(TemplateFactory(sms=True, contents=TEXT))
        freeze_run(run=made, audience=everyone())
        lose(made, minutes=3)
        finish(made)
        return made


def lose(run, **ago):
    for message in Message.objects.filter(run=run):
        become(message, "unknown", "no_answer", "unknown")
    Message.objects.filter(run=run).update(sending_at=timezone.now() - dt.timedelta(**ago))


def phones(run):
    rows = Message.objects.filter(run=run).order_by("pk")
    return list(rows.values_list("address", flat=True))


def test_what_the_vendor_has_is_sent_what_it_has_not_stays_unknown(run, twilio):
    with tenant_scope(run.tenant_id):
        first, second, _ = phones(run)
    twilio.known[first] = [listed("SM1")]
    twilio.known[second] = [listed("SM2", status="failed", error_code=30005)]
    look_up_unknown()
    with tenant_scope(run.tenant_id):
        assert states_of(run) == {"sent": 1, "failed": 1, "unknown": 1}
        assert Message.objects.get(address=first).provider_message_id == "SM1"
        assert ProviderReference.objects.filter(reference="SM1").count() == 1
        assert Message.objects.get(address=second).error_code == "30005"


def test_asked_again_only_after_twice_as_long(run, twilio):
    look_up_unknown()
    look_up_unknown()
    assert len(twilio.asked) == 3
    with tenant_scope(run.tenant_id):
        waits = [
            (message.not_before - timezone.now()).total_seconds()
            for message in Message.objects.filter(run=run)
        ]
    assert all(170 <= wait <= 190 for wait in waits)


def test_fresh_ones_are_left_to_the_webhook(run, twilio):
    with tenant_scope(run.tenant_id):
        Message.objects.filter(run=run).update(
            sending_at=timezone.now() - dt.timedelta(seconds=119)
        )
    look_up_unknown()
    assert twilio.asked == []


def test_a_reference_of_another_message_is_no_match(run, twilio):
    with tenant_scope(run.tenant_id):
        first, second, third = phones(run)
        other = Message.objects.get(address=third)
        ProviderReference.objects.create(
            account_id=other.account_id, reference="SM9", message_id=other.pk
        )
    twilio.known[first] = [listed("SM9")]
    twilio.known[second] = [listed("SM5")]
    twilio.known[third] = [listed("SM5")]
    look_up_unknown()
    with tenant_scope(run.tenant_id):
        assert states_of(run) == {"unknown": 3}


def test_a_vendor_that_is_away_leaves_it_unknown(run, twilio):
    with tenant_scope(run.tenant_id):
        ProviderAccount.objects.update(base_url="http://127.0.0.1:9")
    look_up_unknown()
    with tenant_scope(run.tenant_id):
        assert states_of(run) == {"unknown": 3}


class TestDecisions:
    @pytest.fixture
    def lost(self, chain):
        open_all_hours()
        make_sender()
        CustomerFactory.create_batch(3, home_branch=chain.north)
        made = make_run(branch_ids=[chain.north.pk])
        freeze_run(run=made, audience=everyone())
        lose(made, hours=25)
        finish(made)
        return made

    def test_counted_as_sent(self, lost, manager):
        assert decide_unknown(actor=manager, run=lost, code="no_answer", as_sent=True) == 3
        assert states_of(lost) == {"sent": 3}
        entry = AuditEntry.objects.get(action="send_run.decide_unknown")
        assert entry.changes == {"code": "no_answer", "as": "sent", "messages": 3}

    def test_counted_as_failed_and_sent_again(self, lost, manager):
        assert decide_unknown(actor=manager, run=lost, code="no_answer", as_sent=False) == 3
        assert states_of(lost) == {"failed": 3}
        (cause,) = causes_of([lost.pk], ["failed"])
        assert (cause.code, cause.may_be_retried) == ("counted_as_failed", True)
        assert retry_failed(actor=manager, run=lost).audience == 3

    def test_not_before_the_set_time(self, lost, manager):
        set_config(unknown_decision_hours=26)
        with pytest.raises(Conflict):
            decide_unknown(actor=manager, run=lost, code="no_answer", as_sent=True)
        assert states_of(lost) == {"unknown": 3}

    def test_a_report_that_came_meanwhile_stands(self, lost, manager):
        become(Message.objects.filter(run=lost).first(), "delivered")
        assert decide_unknown(actor=manager, run=lost, code="no_answer", as_sent=False) == 2
        assert states_of(lost) == {"delivered": 1, "failed": 2}

    def test_twice_is_refused(self, lost, manager):
        decide_unknown(actor=manager, run=lost, code="no_answer", as_sent=True)
        with pytest.raises(Conflict):
            decide_unknown(actor=manager, run=lost, code="no_answer", as_sent=False)
        assert states_of(lost) == {"sent": 3}

    def test_receptionists_may_not(self, lost, chain):
        with pytest.raises(Forbidden):
            decide_unknown(
                actor=chain.actor(chain.receptionist), run=lost, code="no_answer", as_sent=True
            )
        assert states_of(lost) == {"unknown": 3}
