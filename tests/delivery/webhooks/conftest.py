"""A run that was sent, and its vendor's way to report on it."""

import json

import pytest
from django.test import Client

from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch import worker
from marketing.delivery.models import Message
from marketing.delivery.services import freeze_run
from marketing.policy.models import ProviderAccount, WebhookAddress
from tests.delivery.webhooks.payloads import signature_of
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours, states_of


@pytest.fixture
def run(live_chain, vendor, settings):
    """A run of three people, all sent."""
    settings.SANDBOX_URL = vendor.url
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender(rate_per_second=1000)
        CustomerFactory.create_batch(3, home_branch=live_chain.north)
        made = make_run()
        freeze_run(run=made, audience=everyone())
    worker.run()
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
