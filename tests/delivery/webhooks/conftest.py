"""A run that was sent, and its vendor's way to report on it."""

import json
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import outcomes, worker
from marketing.delivery.dispatch.outcomes import Outcome
from marketing.delivery.models import DispatchBatch, Message, SendRun
from marketing.delivery.services import finish_done_runs, freeze_run, settle_due
from marketing.delivery.webhooks import consumer
from marketing.policy.models import BudgetMonth, ProviderAccount, WebhookAddress
from tests.delivery.webhooks.payloads import signature_of, status, statuses
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours, states_of

PRICE = Decimal("0.8631")


@pytest.fixture
def run(live_chain, vendor, settings):
    """A run of three people, all sent."""
    settings.SANDBOX_URL = vendor.url
    made = frozen(live_chain, people=3)
    worker.run()
    return made


def frozen(chain, *, people):
    """A run of so many, that anybody may send as fast as he can."""
    with tenant_scope(chain.tenant.pk):
        open_all_hours()
        make_sender(rate_per_second=100_000)
        CustomerFactory.create_batch(people, home_branch=chain.north)
        made = make_run()
        freeze_run(run=made, audience=everyone())
    return made


@pytest.fixture
def post(run):
    """Post a body to the account's webhook, signed unless told otherwise."""
    with tenant_scope(run.tenant_id):
        account = ProviderAccount.objects.get()
    token = WebhookAddress.objects.get(account_id=account.pk).token

    def send(payload, signature=None, url=f"/api/v1/webhooks/meta/{token}"):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        good = signature_of(body)
        return Client().post(
            url,
            body,
            content_type="application/json",
            headers={"X-Hub-Signature-256": good if signature is None else signature},
        )

    return send


def messages(run):
    with tenant_scope(run.tenant_id):
        return list(Message.objects.filter(run=run).order_by("pk"))


def counted(run):
    with tenant_scope(run.tenant_id):
        return states_of(run)


@pytest.fixture
def done(run):
    """The run, over; its first message."""
    with tenant_scope(run.tenant_id):
        finish_done_runs()
        run.refresh_from_db()
        assert run.state == SendRun.State.DONE
    return messages(run)[0]


def say(post, message, state, error=None, at=None, **more):
    """Report on the message; by its vendor's clock a moment ago."""
    at = int((at or timezone.now()).timestamp())
    errors = {"errors": [error]} if error else {}
    assert post(statuses(status(message, state, at, **errors, **more))).status_code == 200
    consumer.consume_due()


def written(run, message, result, tries=1):
    """The answer of the call about a message that is being sent."""
    with tenant_scope(run.tenant_id):
        outcomes.write(run.tenant_id, [Outcome(message.pk, result, tries)], message.pk, message.pk)


def state_of(run):
    with tenant_scope(run.tenant_id):
        run.refresh_from_db()
    return run.state


def batch_of(message):
    return DispatchBatch.objects.get(pk=message.batch_id)


def money(run):
    settle_due()
    with tenant_scope(run.tenant_id):
        month = BudgetMonth.objects.get(branch=None)
        return month.reserved, month.spent
