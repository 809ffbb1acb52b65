"""What delivery does when something elsewhere has happened."""

from collections.abc import Sequence
from uuid import UUID

from marketing.content.models import STOPPED, TemplateVersion
from marketing.core.events import subscribe
from marketing.core.models import DomainEvent
from marketing.delivery import selectors, services
from marketing.delivery.models import SendRun


@subscribe("account.circuit_closed")
def resume_runs(happened: Sequence[DomainEvent]) -> None:
    """Go on with runs that waited for the account; a campaign resumes its own."""
    for event in happened:
        waiting = selectors.runs_waiting_for(UUID(event.payload["accountId"]))
        for run in waiting.filter(campaign_id=None):
            services.resume_run(run=run)


@subscribe("send_run.paused")
def resume_what_was_paused_in_vain(happened: Sequence[DomainEvent]) -> None:
    """The account may work again by now; a campaign resumes its own."""
    for event in happened:
        if event.payload["reason"] == selectors.ACCOUNT_PAUSED and not event.payload["campaignId"]:
            services.resume_if_mended(run_id=UUID(event.payload["runId"]))


@subscribe("template.status_changed")
def pause_runs_of_stopped_templates(happened: Sequence[DomainEvent]) -> None:
    """What WhatsApp has stopped is not sent any more."""
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
