"""Freeze an audience through the whole gate; beside it the plain `INSERT … SELECT`."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

from bench import ground, machine

PAIRS = 3
BAR_SECONDS, BAR_RATIO = 8.0, 2.0

# The same columns of the same table, as many rows, as wide ones; nobody is judged.
PLAIN = """
INSERT INTO delivery_message (tenant_id, run_id, batch_id, customer_id, branch_id, account_id,
    template_version_id, campaign_id, kind, channel, purpose, step, attempt_of, address, language,
    variables, state, reason, not_before, segments, cost, fallback_cost, tries,
    provider_message_id, error_code, error_class, error_detail)
SELECT tenant_id, %(run)s, 0, id, home_branch_id, %(account)s, %(version)s, NULL, 'campaign',
    'whatsapp', 'promotional', 0, NULL, phone, language,
    jsonb_build_object('customer_name', first_name), 'queued', '', NULL, 1, 0.8631, NULL, 0,
    '', '', '', ''
FROM customers_customer WHERE tenant_id = %(tenant)s AND status = 'active'
"""


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.services import freeze_run
    from tests.factories.delivery import everyone, make_run

    people = n or 1_000_000
    tenant_id = ground.chain_of(people)
    plain, ours, loads = [], [], []
    sendable = 0
    for _ in range(PAIRS):
        ground.forget_messages()
        with machine.watched() as beside:
            begun = time.perf_counter()
            _insert_plainly(tenant_id)
            plain.append(time.perf_counter() - begun)
        plain_bytes = _row_bytes()
        ground.forget_messages()
        with machine.watched() as load:
            begun = time.perf_counter()
            with tenant_scope(tenant_id):
                sendable = freeze_run(run=make_run(), audience=everyone()).sendable
            ours.append(time.perf_counter() - begun)
        loads.append((load, beside))
    row_bytes = _row_bytes()
    ground.forget_messages()
    seconds = statistics.median(ours)
    yield {
        "bench": "freeze",
        "n": people,
        "sendable": sendable,
        "seconds": round(seconds, 2),
        "per_s": round(people / seconds),
        "row_bytes": row_bytes,
        "pairs": [[round(a, 2), round(b, 2)] for a, b in zip(ours, plain, strict=True)],
        "database_cpu": [
            [_rounded(own.database), _rounded(other.database)] for own, other in loads
        ],
        "foreign_cpu": [[own.foreign_share, other.foreign_share] for own, other in loads],
        "limit": {
            "what": "plain INSERT … SELECT",
            "seconds": round(statistics.median(plain), 2),
            "row_bytes": plain_bytes,
        },
        "ratio_to_limit": round(
            statistics.median(a / b for a, b in zip(ours, plain, strict=True)), 2
        ),
        "bar": {"seconds": BAR_SECONDS, "ratio": BAR_RATIO},
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def _insert_plainly(tenant_id: Any) -> None:
    from django.db import connection

    from marketing.core.tenancy import tenant_scope
    from marketing.policy.models import ProviderAccount
    from tests.factories.delivery import make_run

    with tenant_scope(tenant_id), connection.cursor() as cursor:
        run = make_run()
        cursor.execute(
            PLAIN,
            {
                "tenant": tenant_id,
                "run": run.pk,
                "account": ProviderAccount.objects.get(provider="meta").pk,
                "version": run.steps[0]["versionId"],
            },
        )


def _row_bytes() -> int:
    """The mean size of a message as it is stored."""
    with ground.admin() as admin:
        row = admin.execute(
            "SELECT avg(pg_column_size(m))::int FROM (SELECT * FROM delivery_message LIMIT 10000) m"
        ).fetchone()
    return int(row[0]) if row else 0
