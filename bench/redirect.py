"""A storm of clicks: tracked links that lead on, and opening pictures, 500 a second by the clock.

Open load, as in `door`. Beside each the same server answering without doing anything.
"""

import uuid
from collections.abc import Iterator
from typing import Any

from bench import clocked, ground, load, product

RATE, SECONDS, PEOPLE = 500, 10, 20_000
CONNECTIONS = 48
BAR_MS = 10


def measure(n: int | None) -> Iterator[dict[str, Any]]:
    """`n`: clicks of each kind; without, those of ten seconds."""
    ground.prepare_django()
    clicks = n or RATE * SECONDS
    tenant_id = ground.chain_of(PEOPLE)
    ground.forget_messages()
    codes = _codes(tenant_id, clicks)
    for what, path in (("link", "/r/{}"), ("picture", "/o/{}.gif")):
        with product.web(nothing=True) as web:
            nothing = load.send(web.port, path, codes[what], CONNECTIONS, RATE)
        with product.web() as web:
            load.send(web.port, path, codes[what][: clicks // 10], CONNECTIONS, RATE)
            told = clocked.send(web, path, codes[what], CONNECTIONS, RATE)
        clocked.require_rows("delivery_engagement", clicks + clicks // 10)
        yield {
            "bench": "redirect",
            "what": f"{what}s, {RATE} a second",
            **told,
            "limit": {
                "what": "the same server doing nothing",
                "p50_ms": nothing["p50_ms"],
                "p99_ms": nothing["p99_ms"],
            },
            "bar": {"p50_ms": BAR_MS},
            "reached": told["p50_ms"] <= BAR_MS,
        }
    ground.forget_messages()


def _codes(tenant_id: uuid.UUID, count: int) -> dict[str, list[str]]:
    """The codes of a link and of a picture, each in so many messages that were sent."""
    from django.db import connection

    from marketing.core.tenancy import tenant_scope
    from marketing.delivery.links.codes import make_code
    from marketing.delivery.models import TrackedLink
    from marketing.delivery.services import freeze_run
    from tests.factories.content import TemplateFactory
    from tests.factories.delivery import everyone, make_run

    with tenant_scope(tenant_id):
        template = TemplateFactory.create()
        run = make_run(template)
        freeze_run(run=run, audience=everyone())
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE delivery_message SET state = 'sent', sent_at = now() - interval '1 hour'"
                " WHERE run_id = %s AND state = 'queued' RETURNING id",
                [run.pk],
            )
            ids = [message_id for (message_id,) in cursor.fetchall()]
        version_id = template.versions.get().pk
        link, picture = (
            TrackedLink.objects.create(
                tenant_id=tenant_id,
                version_id=version_id,
                source=source,
                channel="email",
                content="Bench 1",
            ).pk
            for source in ("https://example.com/book?for={{ customer_name }}", "")
        )
    with ground.admin() as server:
        server.execute("VACUUM ANALYZE delivery_message")
    chosen = [ids[number % len(ids)] for number in range(count)]
    return {
        "link": [make_code(link, message_id) for message_id in chosen],
        "picture": [make_code(picture, message_id) for message_id in chosen],
    }
