"""Freeze an audience through the whole gate; beside it the plain `INSERT … SELECT`."""

import time
from collections.abc import Iterator
from typing import Any

from bench import ground

BAR_SECONDS, BAR_RATIO = 8.0, 2.0

# The same columns and as many rows, without judging anyone.
PLAIN = """
INSERT INTO delivery_message (tenant_id, run_id, batch_id, customer_id, branch_id, account_id,
    template_version_id, kind, channel, purpose, address, language, variables, state, reason,
    segments, cost, tries, provider_message_id, error_code, error_class, error_detail)
SELECT tenant_id, %(run)s, 0, id, home_branch_id, %(account)s, %(version)s, 'campaign', 'whatsapp',
    'promotional', phone, language, jsonb_build_object('customer_name', first_name), 'queued', '',
    1, 0.8631, 0, '', '', '', ''
FROM customers_customer WHERE tenant_id = %(tenant)s AND status = 'active'
"""


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    ground.prepare_django()
    from django.db import connection

    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.services import freeze_run
    from marketing.policy.models import ProviderAccount
    from tests.factories.delivery import everyone, make_run

    people = n or 1_000_000
    tenant_id = ground.chain_of(people)
    plain, ours = [], []
    sendable = 0
    for _ in range(3):
        ground.forget_messages()
        with tenant_scope(tenant_id):
            run = make_run()
            begun = time.perf_counter()
            with connection.cursor() as cursor:
                cursor.execute(
                    PLAIN,
                    {
                        "tenant": tenant_id,
                        "run": run.pk,
                        "account": ProviderAccount.objects.values_list("pk", flat=True)[0],
                        "version": run.steps[0]["versionId"],
                    },
                )
        plain.append(time.perf_counter() - begun)
        ground.forget_messages()
        begun = time.perf_counter()
        with tenant_scope(tenant_id):
            sendable = freeze_run(run=run, audience=everyone()).sendable
        ours.append(time.perf_counter() - begun)
    seconds, limit = sorted(ours)[1], sorted(plain)[1]
    ground.forget_messages()
    yield {
        "bench": "freeze",
        "n": people,
        "sendable": sendable,
        "seconds": round(seconds, 2),
        "per_s": round(people / seconds),
        "limit": {"what": "plain INSERT … SELECT", "seconds": round(limit, 2)},
        "ratio_to_limit": round(seconds / limit, 2),
        "bar": {"seconds": BAR_SECONDS, "ratio": BAR_RATIO},
    }
