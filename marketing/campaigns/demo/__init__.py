"""A realistic salon chain to try Parlour on, made the same from the same seed.

make_demo(customers=5_000, seed=1)
"""

import datetime as dt

from django.db import transaction

from customers import facts, tasks
from customers.models import (
    CategoryRhythm,
    ConsentRecord,
    ConsentState,
    ContactPoint,
    Customer,
    CustomerFacts,
    Membership,
    Package,
    Purchase,
    PurchaseLine,
    Visit,
)
from marketing.campaigns.demo.activity import DAYS, write_activity
from marketing.campaigns.demo.campaigns import make_campaigns
from marketing.campaigns.demo.catalogue import make_catalogue
from marketing.campaigns.demo.consents import write_consents
from marketing.campaigns.demo.followups import write_followups
from marketing.campaigns.demo.loyalty import write_points
from marketing.campaigns.demo.offers import make_offers
from marketing.campaigns.demo.organisation import make_organisation, make_tenant
from marketing.campaigns.demo.people import declare_attributes, stage_people, write_customers
from marketing.campaigns.demo.referrals import make_referrals
from marketing.campaigns.demo.sending import hold_out, set_up_sending
from marketing.campaigns.demo.staging import (
    analyze,
    filled_at_once,
    prepare,
    unchecked_keys,
    whole_tables,
)
from marketing.core import clock
from marketing.core.models import Tenant
from marketing.core.nudge import nudge
from marketing.core.partitions import ensure_partitions
from marketing.core.tenancy import tenant_scope
from marketing.segments.services import ensure_system_segments, refresh_all

LARGE = (
    *(Customer, ContactPoint, ConsentRecord, ConsentState),
    *(Visit, Purchase, PurchaseLine),
    *(CustomerFacts, CategoryRhythm),
)
# How many people's facts are computed at a time: each time reads all visits and bills.
FACTS_AT_A_TIME = 1_000_000


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
            set_up_sending(organisation)
            prepare(seed)
            with whole_tables(), unchecked_keys(), filled_at_once(*LARGE):
                stage_people(organisation, customers, now)
                write_customers()
                write_consents(now)
                hold_out()
                write_activity(services, now, tenant.time_zone)
                analyze(Customer, ConsentState, Visit, Purchase, PurchaseLine, Membership, Package)
                write_points(now, tenant.time_zone)
                facts.rebuild_all(FACTS_AT_A_TIME)
                analyze(CustomerFacts, CategoryRhythm)
            ensure_system_segments()
            make_offers(organisation, services, now)
            make_referrals(organisation, services, now)
            make_campaigns(organisation, now)
            write_followups(now, tenant.time_zone)
            facts.refresh_stale_facts()
            refresh_all()
    nudge(tasks.keep_duplicates)
    return tenant
