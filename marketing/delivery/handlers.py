"""News from content: a template that WhatsApp stopped is not sent any more."""

from collections.abc import Sequence

from marketing.content.models import TemplateVersion, WhatsAppStatus
from marketing.core.events import subscribe
from marketing.core.models import DomainEvent
from marketing.delivery import services
from marketing.delivery.models import SendRun

STOPPED = (WhatsAppStatus.PAUSED, WhatsAppStatus.DISABLED, WhatsAppStatus.REJECTED)


@subscribe("template.status_changed")
def pause_runs_of_stopped_templates(happened: Sequence[DomainEvent]) -> None:
    version_ids = {event.payload["versionId"] for event in happened}
    reasons = {event.payload["versionId"]: event.payload["reason"] for event in happened}
    stopped = TemplateVersion.objects.filter(pk__in=version_ids, whatsapp_status__in=STOPPED)
    for version in stopped.select_related("template"):
        runs = SendRun.objects.filter(
            state=SendRun.State.FROZEN, steps__contains=[{"versionId": str(version.pk)}]
        )
        detail = ": ".join(filter(None, [version.template.name, reasons[str(version.pk)]]))
        for run in runs:
            services.pause_run(run=run, reason="template_stopped", detail=detail)
