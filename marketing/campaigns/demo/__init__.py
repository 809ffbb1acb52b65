"""A realistic salon chain to try Parlour on, made the same from the same seed.

    make_demo(customers=5_000, seed=1)
"""

import datetime as dt
import logging

from django.db import transaction

from customers import facts
from marketing.campaigns.demo.activity import DAYS, write_activity
from marketing.campaigns.demo.catalogue import make_catalogue
from marketing.campaigns.demo.consents import write_consents
from marketing.campaigns.demo.organisation import make_organisation, make_tenant
from marketing.campaigns.demo.people import declare_attributes, stage_people, write_customers
from marketing.campaigns.demo.staging import prepare_draws
from marketing.core import clock
from marketing.core.models import Tenant
from marketing.core.partitions import ensure_partitions
from marketing.core.tenancy import tenant_scope

logger = logging.getLogger(__name__)


def make_demo(*, customers: int, seed: int) -> Tenant:
    """Make the demo chain with so many customers; all of it or nothing."""
    now = clock.now()
    ensure_partitions((now - dt.timedelta(days=DAYS + 1)).date(), now.date())
    with transaction.atomic():
        tenant, owner = make_tenant()
        with tenant_scope(tenant.pk):
            organisation = make_organisation(tenant, owner, seed)
            services = make_catalogue()
            declare_attributes()
            prepare_draws(seed)
            stage_people(organisation, customers, now)
            write_customers()
            write_consents(now)
            write_activity(services, now, tenant.time_zone)
            facts.rebuild_all()
    return tenant
