import uuid
from typing import Any

from celery import shared_task

from marketing.core.errors import ProviderFailed

RETRIES = 5


@shared_task(bind=True, max_retries=RETRIES)
def submit_whatsapp_template(self: Any, tenant_id: str, version_id: str) -> None:
    """Hand a version in to WhatsApp; tries again for about an hour while WhatsApp is away."""
    from marketing.content import services

    try:
        services.hand_in(
            tenant_id=uuid.UUID(tenant_id),
            version_id=uuid.UUID(version_id),
            is_last_try=self.request.retries >= RETRIES,
        )
    except ProviderFailed as error:
        raise self.retry(exc=error, countdown=min(60 * 2**self.request.retries, 600)) from error


@shared_task(soft_time_limit=30)
def check_link(tenant_id: str, link: str) -> None:
    """Ask whether a link works; a host that answers drop by drop is given up."""
    from marketing.content import services

    services.judge_link(tenant_id=uuid.UUID(tenant_id), link=link)
