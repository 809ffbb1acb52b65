"""What a worker needs to know of a batch before it sends it, and when it must stop the run."""

from dataclasses import dataclass

from marketing.content.models import TemplateVersion
from marketing.core.actor import Actor
from marketing.core.tenancy import tenant_scope
from marketing.delivery.dispatch.lease import Lease
from marketing.delivery.dispatch.rendering import MessageRenderer
from marketing.delivery.models import SendRun
from marketing.delivery.providers.base import Account
from marketing.delivery.registry import account_of
from marketing.delivery.rules import Result
from marketing.delivery.services.runs import pause_run
from marketing.policy import services as policy
from marketing.policy.models import ProviderAccount

ACCOUNT_PAUSED = "account_paused"


@dataclass(frozen=True)
class Sending:
    """The account and the renderer of a batch."""

    account: Account
    renderer: MessageRenderer


def load_sending(lease: Lease) -> Sending | None:
    """None when the run may not go on: it is over, or its account's circuit is open."""
    with tenant_scope(lease.tenant_id):
        run = SendRun.objects.filter(pk=lease.run_id, state=SendRun.State.FROZEN).first()
        row = ProviderAccount.objects.filter(pk=lease.account_id).first()
        if run is None or row is None:
            return None
        if row.circuit_reason or not row.is_active:
            detail = row.circuit_reason or "The provider account is switched off."
            pause_run(run=run, reason=ACCOUNT_PAUSED, detail=detail)
            return None
        versions = TemplateVersion.objects.select_related("template", "tenant").in_bulk(
            [step["versionId"] for step in run.steps]
        )
        return Sending(account_of(row), MessageRenderer(versions))


def pause_for_account(lease: Lease, fault: Result) -> None:
    """Open the account's circuit and pause the run: the vendor refuses the account itself."""
    with tenant_scope(lease.tenant_id):
        account = ProviderAccount.objects.get(pk=lease.account_id)
        detail = f"{account.name}: {fault.detail or fault.code}"
        policy.open_circuit(actor=Actor.system(lease.tenant_id), account=account, reason=detail)
        run = SendRun.objects.get(pk=lease.run_id)
        pause_run(run=run, reason=ACCOUNT_PAUSED, detail=detail)
