"""A run for the workers to send."""

import pytest

from marketing.core.tenancy import tenant_scope
from marketing.delivery.services import freeze, freeze_run
from tests.delivery.dispatch.runs import PEOPLE
from tests.factories.customers import CustomerFactory
from tests.factories.delivery import everyone, make_run, make_sender, open_all_hours


@pytest.fixture
def run(live_chain, vendor, settings, monkeypatch):
    """A frozen run of 25 people in batches of 10, at an account that sends to `vendor`."""
    settings.SANDBOX_URL = vendor.url
    monkeypatch.setattr(freeze, "BATCH_SIZE", 10)
    with tenant_scope(live_chain.tenant.pk):
        open_all_hours()
        make_sender(rate_per_second=1000, max_concurrency=8)
        CustomerFactory.create_batch(PEOPLE, home_branch=live_chain.north)
        made = make_run()
        freeze_run(run=made, audience=everyone())
        made.refresh_from_db()
        return made
