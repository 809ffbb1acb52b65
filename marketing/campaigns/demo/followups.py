"""Whom the demo's staff mean to call: a few customers of their branch each."""

import datetime as dt

from marketing.campaigns.demo.staging import execute, stage_rows
from marketing.core.models import Role
from marketing.core.tenancy import current_tenant_id

# Days from today, time, what about, and what came of it where it is over.
CALLS = (
    (-2, None, "Wanted a time on Saturday; call back", ""),
    (0, dt.time(11), "Ask how the new colour holds", ""),
    (0, dt.time(17, 30), "Wedding in the family: offer a trial make-up", ""),
    (3, None, "Package ends this month", ""),
    (-4, None, "Has not come since the summer", "booked"),
    (-1, None, "Has not come since the summer", "no_answer"),
)


def write_followups(now: dt.datetime, zone: str) -> None:
    """Reminders of everybody at the front desk and the chairs."""
    stage_rows(
        "demo_call",
        "position int, in_days int, at time, note text, outcome text",
        [(position, *call) for position, call in enumerate(CALLS)],
    )
    values = {
        "tenant": current_tenant_id(),
        "now": now,
        "zone": zone,
        "calls": len(CALLS),
        "roles": [Role.RECEPTIONIST.value, Role.BRANCH_MANAGER.value],
    }
    execute(REMINDERS, values)


REMINDERS = """
    INSERT INTO followups_followupreminder (
        tenant_id, staff_id, customer_id, branch_id, reminder_date, reminder_time, note, status,
        outcome, completed_at, created_by_id)
    SELECT %(tenant)s, staff.id, person.id, staff.branch_id,
           (%(now)s AT TIME ZONE %(zone)s)::date + call.in_days, call.at, call.note,
           CASE WHEN call.outcome = '' THEN 'pending' ELSE 'completed' END, call.outcome,
           CASE WHEN call.outcome <> '' THEN %(now)s + call.in_days * interval '1 day' END,
           staff.id
    FROM (
        SELECT staff.id, works.branch_id,
               row_number() OVER (PARTITION BY works.branch_id ORDER BY staff.id) - 1 AS seat
        FROM core_staff staff JOIN core_staffbranch works ON works.staff_id = staff.id
        WHERE staff.role = ANY(%(roles)s)
    ) staff
    JOIN (
        SELECT id, home_branch_id,
               row_number() OVER (PARTITION BY home_branch_id ORDER BY id) - 1 AS place
        FROM customers_customer WHERE phone <> ''
    ) person ON person.home_branch_id = staff.branch_id
    JOIN demo_call call ON person.place = staff.seat * %(calls)s + call.position
"""
