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
