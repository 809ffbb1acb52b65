"""What staff's own pages show beside campaigns: people of each role, visits, reminders, news.

All of it lies in the chain that `history` has filled; each statement writes one table.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from bench import ground

SERVING = 24  # staff members whom customers come to
NEWS = 2_000
# Each customer came twice, to one of the staff, the last time up to a year ago.
VISITS = """
INSERT INTO customers_visit (tenant_id, customer_id, branch_id, staff_id, external_id, visited_at)
SELECT %(tenant)s, id, home_branch_id, (%(serving)s::uuid[])[1 + n %% %(served)s], '',
       now() - ((n * 7919 + visit * 131) %% 365) * interval '1 day' - visit * interval '40 days'
FROM (SELECT id, home_branch_id, row_number() OVER () AS n FROM customers_customer
      WHERE tenant_id = %(tenant)s) people
CROSS JOIN generate_series(1, 2) visit
"""
# One customer in ten is to be called, or was: two in three reminders are over.
REMINDERS = """
INSERT INTO followups_followupreminder (tenant_id, staff_id, customer_id, branch_id, reminder_date,
    note, status, outcome, completed_at)
SELECT %(tenant)s, (%(serving)s::uuid[])[1 + n %% %(served)s], id, home_branch_id,
       current_date + (n %% 60 - 40)::int, 'Ask how the colour held',
       CASE WHEN n %% 3 = 0 THEN 'pending' ELSE 'completed' END,
       CASE WHEN n %% 3 = 0 THEN '' ELSE 'reached' END,
       CASE WHEN n %% 3 = 0 THEN NULL ELSE now() - (n %% 300) * interval '1 day' END
FROM (SELECT id, home_branch_id, row_number() OVER () AS n FROM customers_customer
      WHERE tenant_id = %(tenant)s) people
WHERE n %% 10 = 0
"""
TOLD = """
INSERT INTO core_staffnotification (tenant_id, staff_id, kind, key, target_id, facts, created_at,
    email_attempts)
SELECT %(tenant)s, %(reader)s, 'campaign.approved', n::text, %(campaign)s, %(facts)s,
       now() - n * interval '1 hour', 0
FROM generate_series(1, %(news)s) n
"""


@dataclass(frozen=True)
class Desk:
    """Who looks, by role, and the manager's draft that waits in the wizard."""

    users: dict[str, Any]
    draft: Any


def make(tenant_id: uuid.UUID, decided: int = 50) -> Desk:
    """Fill the tables anew; people are made once."""
    from marketing.core.models import Branch, Role, Staff
    from marketing.core.tenancy import tenant_scope
    from tests.factories.campaigns import make_campaign

    _forget()
    with tenant_scope(tenant_id):
        branch = Branch.objects.order_by("pk")[0]
        staff = _people(branch)
        draft = make_campaign(staff["manager"], branch_ids=[branch.pk], target_all_customers=True)
        _decide(staff, branch, decided)
        serving = Staff.objects.filter(role=Role.RECEPTIONIST).order_by("pk")
        values = {
            "tenant": tenant_id,
            "serving": [person.pk for person in serving[:SERVING]],
            "served": SERVING,
            "reader": staff["regional"].pk,
            "campaign": draft.pk,
            "facts": '{"by": "Regional manager", "campaign": "Diwali glow"}',
            "news": NEWS,
        }
    with ground.admin() as server:
        for statement in (VISITS, REMINDERS, TOLD):
            server.execute(statement, values)  # type: ignore[arg-type]
        server.execute("VACUUM ANALYZE")
    return Desk({name: person.user for name, person in staff.items()}, draft)


def _forget() -> None:
    with ground.admin() as server:
        server.execute(
            "TRUNCATE customers_visit, followups_followupreminder, core_staffnotification CASCADE"
        )


def _people(branch: Any) -> dict[str, Any]:
    """One of each role, of whom the receptionist is one of those who serve."""
    from marketing.core.models import Branch, Role, Staff
    from tests.factories.core import make_staff

    while Staff.objects.filter(role=Role.RECEPTIONIST).count() < SERVING:
        make_staff(Role.RECEPTIONIST, branch)
    roles = {"manager": Role.BRANCH_MANAGER, "regional": Role.REGIONAL_MANAGER}
    for role in roles.values():
        if not Staff.objects.filter(role=role).exists():
            make_staff(role, *([branch] if role == Role.BRANCH_MANAGER else Branch.objects.all()))
    return {
        name: Staff.objects.filter(role=role).select_related("user").order_by("pk")[0]
        for name, role in (roles | {"receptionist": Role.RECEPTIONIST}).items()
    }


def _decide(staff: dict[str, Any], branch: Any, decided: int) -> None:
    """So many campaigns of the branch were approved, and half as many wait."""
    from marketing.campaigns import services
    from marketing.core.actor import Actor
    from tests.factories.campaigns import submitted
    from tests.factories.content import TemplateFactory
    from tests.factories.policy import set_config

    set_config(campaign_approval_threshold_recipients=1)
    template = TemplateFactory.create(name=f"Decided {uuid.uuid4().hex[:8]}")
    shared = {"template_id": template.pk, "target_all_customers": True}
    approver = Actor.for_staff(staff["regional"])
    for number in range(decided * 3 // 2):
        campaign = submitted(staff["manager"], branch_ids=[branch.pk], **shared)
        if number < decided:
            services.approve_campaign(actor=approver, campaign=campaign)
