"""The demo chain with N customers, as the benches of customers and segments find it."""

import io
import uuid

from bench import ground


def demo_of(people: int) -> uuid.UUID:
    """The demo's tenant with exactly this many customers; made in an empty database, else kept."""
    ground.prepare_django()
    from django.core.management import call_command
    from django.db import connections

    from marketing.campaigns.demo.organisation import SLUG
    from marketing.core.models import Tenant

    tenants = list(Tenant.objects.all())
    if [tenant.slug for tenant in tenants] != [SLUG] or _customers(tenants[0].pk) != people:
        connections.close_all()
        ground.make_anew(ground.DATABASE, owner="parlour_owner")
        call_command("migrate", verbosity=0)
        call_command("seed_demo", customers=people, stdout=io.StringIO())
        tenants = list(Tenant.objects.all())
        with ground.admin() as server:
            server.execute("VACUUM ANALYZE")
    return tenants[0].pk


def _customers(tenant_id: uuid.UUID) -> int:
    from customers.models import Customer
    from marketing.core.tenancy import tenant_scope

    with tenant_scope(tenant_id):
        return Customer.objects.count()
