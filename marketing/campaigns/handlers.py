"""News from delivery becomes the campaign's state."""

from collections.abc import Sequence
from uuid import UUID

from marketing.campaigns import services
from marketing.core.events import subscribe
from marketing.core.models import DomainEvent


@subscribe("send_run.finished")
def finish_campaigns(happened: Sequence[DomainEvent]) -> None:
    for event in happened:
        services.note_run_finished(send_run_id=UUID(event.payload["runId"]))


@subscribe("send_run.paused")
def pause_campaigns(happened: Sequence[DomainEvent]) -> None:
    for event in happened:
        services.note_run_paused(
            send_run_id=UUID(event.payload["runId"]),
            reason=event.payload["reason"],
            detail=event.payload.get("detail", ""),
        )


@subscribe("account.circuit_closed", "account.made_default")
def resume_campaigns(happened: Sequence[DomainEvent]) -> None:
    for event in happened:
        services.resume_after_outage(account_id=UUID(event.payload["accountId"]))


@subscribe("budget.threshold_reached")
def tell_of_budgets(happened: Sequence[DomainEvent]) -> None:
    for event in happened:
        services.tell_of_budget(event.payload)


@subscribe("template.status_changed")
def pause_scheduled_campaigns(happened: Sequence[DomainEvent]) -> None:
    services.pause_for_stopped_templates(
        version_ids={UUID(event.payload["versionId"]) for event in happened}
    )
