"""What a worker needs to know of a batch before it sends it, and when it must stop."""

import datetime as dt
import time
import uuid
from dataclasses import dataclass, field

from django.utils import timezone

from marketing.content.models import TemplateVersion
from marketing.core.models import Tenant
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch.lease import Lease
from marketing.delivery.dispatch.refusals import stop_account
from marketing.delivery.dispatch.rendering import MessageRenderer
from marketing.delivery.models import SendRun
from marketing.delivery.providers.base import Account
from marketing.delivery.registry import account_of
from marketing.delivery.rules import Result
from marketing.delivery.selectors.waiting import ACCOUNT_PAUSED, why_stopped
from marketing.delivery.services.runs import pause_run
from marketing.delivery.windows import zones_of_chain
from marketing.policy import selectors as policy_selectors
from marketing.policy.models import MarketingConfig, ProviderAccount

# A vendor that does not answer is asked again after this; one that refuses us is not.
OUTAGE_PAUSE = dt.timedelta(seconds=30)


# Switches, windows and caps that somebody changes take effect within this.
SETTINGS_SECONDS = 5.0


@dataclass
class Settings:
    """The chain's settings and time zones, read again every few seconds."""

    tenant: Tenant
    config: MarketingConfig = field(init=False)
    zones: frozenset[str] = field(init=False)
    read_at: float = -SETTINGS_SECONDS

    def refresh(self) -> None:
        """In the open tenant scope."""
        if time.monotonic() - self.read_at >= SETTINGS_SECONDS:
            self.config = policy_selectors.get_config()
            self.zones = zones_of_chain(self.tenant)
            self.read_at = time.monotonic()


@dataclass(frozen=True)
class Sending:
    """A batch's run, account and texts. `begun_at`: none of the run's messages is older."""

    account: Account
    renderer: MessageRenderer
    settings: Settings
    kind: str
    purpose: str
    mode: str
    begun_at: dt.datetime
    portfolio: str
    portfolio_limit: int
    topic_id: uuid.UUID | None


def load_sending(lease: Lease, known: Sending | None = None) -> Sending | None:
    """None when the run may not go on: it is over, or its account's circuit is open.

    `known` is that of an earlier batch of the run: its texts, laid out, and its settings serve on.
    """
    with tenant_scope(lease.tenant_id):
        run = SendRun.objects.filter(pk=lease.run_id, state=SendRun.State.FROZEN).first()
        row = ProviderAccount.objects.filter(pk=lease.account_id).first()
        if run is None or row is None:
            return None
        if detail := why_stopped(row):
            pause_run(run=run, reason=ACCOUNT_PAUSED, detail=detail)
            return None
        return Sending(
            account=account_of(row),
            renderer=known.renderer if known else _renderer_of(run),
            settings=known.settings if known else Settings(Tenant.objects.get(pk=lease.tenant_id)),
            kind=run.kind,
            purpose=run.purpose,
            mode=run.mode,
            begun_at=run.created_at - dt.timedelta(minutes=5),
            portfolio=row.portfolio or str(row.pk),
            portfolio_limit=row.portfolio_limit or 0,
            topic_id=_topic_of(run, lease.step),
        )


def _topic_of(run: SendRun, step: int) -> uuid.UUID | None:
    """What the step's message is about; an answer in free words has no steps."""
    if not run.steps:
        return None
    version = TemplateVersion.objects.select_related("template")
    return version.get(pk=run.steps[step]["versionId"]).template.topic_id


def _renderer_of(run: SendRun) -> MessageRenderer:
    versions = TemplateVersion.objects.select_related("template", "tenant").in_bulk(
        [step["versionId"] for step in run.steps if step.get("versionId")]
    )
    return MessageRenderer(
        versions,
        purpose=run.purpose,
        is_test=run.kind == SendRun.Kind.TEST,
    )


def pause_for_account(lease: Lease, fault: Result, *, is_outage: bool = False) -> None:
    """Open the account's circuit and pause the run.

    The vendor refuses the account itself, which somebody must mend; or it does not answer
    at all (`is_outage`), and the circuit closes by itself after a while.
    """
    with tenant_scope(lease.tenant_id):
        stop_account(
            ProviderAccount.objects.get(pk=lease.account_id),
            fault.detail or fault.code,
            [SendRun.objects.get(pk=lease.run_id)],
            retry_at=timezone.now() + OUTAGE_PAUSE if is_outage else None,
        )
