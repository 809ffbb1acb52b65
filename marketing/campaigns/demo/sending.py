"""How the demo chain sends: settings, budgets, accounts at the sandbox, approved templates."""

import datetime as dt
import secrets
from decimal import Decimal

from django.conf import settings

from marketing.campaigns.demo.organisation import NAME, Organisation
from marketing.campaigns.demo.staging import execute
from marketing.content.models import TemplateVersion, WhatsAppStatus
from marketing.content.services import ensure_system_templates
from marketing.core.actor import Actor
from marketing.core.tenancy import current_tenant_id
from marketing.policy import services as policy
from marketing.policy.models import Provider

CHAIN_BUDGET = Decimal(250_000)
BRANCH_BUDGET = Decimal(1_500)  # for each percent of the customers who are at home there
RATE_PER_SECOND, CONCURRENCY = 200, 100
HOLDOUT_SHARE = 0.01


def set_up_sending(organisation: Organisation) -> None:
    """Settings, budgets and a sandbox account for each channel of the open tenant scope."""
    actor = Actor.for_staff(organisation.owner)
    policy.update_config(
        actor=actor,
        values={
            "email_enabled": True,
            "monthly_budget_limit": CHAIN_BUDGET,
            # Whoever tries the demo in the evening wants to see something go.
            "send_window_start": dt.time(0),
            "send_window_end": dt.time(0),
        },
    )
    for branch in organisation.branches:
        limit = BRANCH_BUDGET * organisation.places[branch.code].share
        policy.update_branch_config(
            actor=actor, branch=branch, values={"monthly_budget_limit": limit}
        )
    for provider, (credentials, sender) in _accounts().items():
        policy.create_account(
            actor=actor,
            provider=provider,
            values={
                "name": f"{Provider(provider).label} (sandbox)",
                "base_url": settings.SANDBOX_URL,
                "credentials": credentials,
                "sender": sender,
                "rate_per_second": RATE_PER_SECOND,
                "max_concurrency": CONCURRENCY,
            },
        )
    approve_templates()


def approve_templates() -> None:
    """Make the pre-built templates, as if WhatsApp and the DLT register had taken them."""
    ensure_system_templates()
    for version in TemplateVersion.objects.select_related("template"):
        if version.template.channel == "whatsapp":
            version.whatsapp_status = WhatsAppStatus.APPROVED
            version.whatsapp = {
                language: {
                    "name": version.whatsapp_template_name,
                    "id": _digits(16),
                    "status": WhatsAppStatus.APPROVED,
                }
                for language in version.contents
            }
        elif version.template.channel == "sms":
            version.sms_ids = {
                language: {"dltTemplateId": f"1207{_digits(15)}", "vendorTemplateId": _hex(12)}
                for language in version.contents
            }
        version.save(update_fields=["whatsapp_status", "whatsapp", "sms_ids"])


def hold_out() -> None:
    """Keep a few of `demo_person` out of promotional messages, to measure the others by."""
    execute(
        """
        INSERT INTO policy_holdoutmember (tenant_id, customer_id, since)
        SELECT %(tenant)s, id, known_at FROM demo_person
        WHERE pg_temp.draw(n, 'holdout') < %(share)s
        """,
        {"tenant": current_tenant_id(), "share": HOLDOUT_SHARE},
    )


def _accounts() -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Credentials and sender of each account; new secrets each time, for no vendor knows them."""
    return {
        Provider.META: (
            {
                "access_token": f"EAAG{_hex(24)}",
                "app_secret": _hex(16),
                "verify_token": _hex(8),
            },
            {
                "phone_number_id": _digits(15),
                "waba_id": _digits(15),
                "business_number": "+912226400100",
            },
        ),
        Provider.MSG91: (
            {"authkey": _hex(16)},
            {"header": "KESARS", "entity_id": f"1201{_digits(15)}"},
        ),
        Provider.SENDGRID: (
            {"api_key": f"SG.{_hex(24)}"},
            {"from_email": "hello@kesar.example.com", "from_name": NAME},
        ),
    }


def _hex(size: int) -> str:
    return secrets.token_hex(size)


def _digits(count: int) -> str:
    return str(10 ** (count - 1) + secrets.randbelow(9 * 10 ** (count - 1)))
