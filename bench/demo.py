"""The demo chain with N customers, as the benches of customers and segments find it.

Each of them has ten events more, of the last twelve months: what a web site or an app tells; and
what `demo_offers` gives.
"""

import datetime as dt
import io
import uuid

from bench import demo_offers, ground

EVENTS_EACH = 10
EVENTS = """
INSERT INTO customers_customerevent (id, tenant_id, customer_id, name, properties, occurred_at)
SELECT uuidv7(at - now()), tenant_id, customer_id,
       (ARRAY['app_opened', 'offer_viewed', 'page_viewed', 'booking_begun'])[1 + n %% 4], '{}', at
FROM (
    SELECT tenant_id, id AS customer_id, n,
           now() - random() * make_interval(days => %(days)s) AS at
    FROM customers_customer CROSS JOIN generate_series(1, %(each)s) n
) event
"""
DAYS = 360


def demo_of(people: int) -> uuid.UUID:
    """The demo's tenant with exactly this many customers; made in an empty database, else kept."""
    ground.prepare_django()
    from django.core.management import call_command
    from django.db import connections

    from marketing.campaigns.demo.organisation import SLUG
    from marketing.core import clock
    from marketing.core.models import Tenant
    from marketing.core.partitions import ensure_partitions

    tenants = list(Tenant.objects.all())
    if [tenant.slug for tenant in tenants] != [SLUG] or _customers(tenants[0].pk) != people:
        connections.close_all()
        ground.make_anew(ground.DATABASE, owner="parlour_owner")
        call_command("migrate", verbosity=0)
        call_command("seed_demo", customers=people, stdout=io.StringIO())
        tenants = list(Tenant.objects.all())
        now = clock.now()
        ensure_partitions((now - dt.timedelta(days=DAYS + 1)).date(), now.date())
        with ground.admin() as server:
            server.execute(EVENTS, {"days": DAYS, "each": EVENTS_EACH})
            demo_offers.fill(server)
            server.execute("VACUUM ANALYZE")
    return tenants[0].pk


def _customers(tenant_id: uuid.UUID) -> int:
    from customers.models import Customer
    from marketing.core.tenancy import tenant_scope

    with tenant_scope(tenant_id):
        return Customer.objects.count()
