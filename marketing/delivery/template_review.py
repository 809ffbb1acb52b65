"""Handing WhatsApp templates in for review: the gateway that content calls through."""

import json
from collections.abc import Mapping

from django.utils.translation import gettext as _

from marketing.content.links import compile_sent
from marketing.content.models import TemplateVersion, WhatsAppStatus
from marketing.core.errors import ProviderFailed
from marketing.core.tenancy import tenant_scope
from marketing.delivery import http
from marketing.delivery.providers.base import Account, Answer
from marketing.delivery.providers.meta import client
from marketing.delivery.providers.meta.webhook import TEMPLATE_STATUSES
from marketing.delivery.registry import account_of
from marketing.delivery.rules import ResultClass
from marketing.policy import selectors as policy
from marketing.policy.rules import message_category, purpose_of


def submit_template(version: TemplateVersion, language: str) -> Mapping[str, str]:
    """Create one language of the version at Meta; returns its id and status.

    Raises `ProviderFailed`; with `isRetryable` when Meta could not be reached or was busy.
    """
    purpose = purpose_of(version.template.template_type, version.template.trigger_type)
    body = {
        "name": version.whatsapp_template_name,
        "language": language,
        "category": message_category(purpose).upper(),
        "parameter_format": "POSITIONAL",
        "components": compile_sent(version).compiled.meta_components(language),
    }
    answer = _ask(_account(version), body)
    if answer.status >= 300:
        result = client.read_answer(answer)
        raise ProviderFailed(
            _("WhatsApp refused the template: %(reason)s")
            % {"reason": result.detail or result.code},
            details={"isRetryable": result.outcome is ResultClass.RETRY, "code": result.code},
        )
    created = json.loads(answer.body)
    known = TEMPLATE_STATUSES.get(created.get("status", ""), WhatsAppStatus.PENDING)
    return {"id": str(created["id"]), "status": known}


def _account(version: TemplateVersion) -> Account:
    with tenant_scope(version.tenant.pk):
        row = policy.default_account("whatsapp")
        if row is None:
            raise ProviderFailed(_("No WhatsApp account is set up."))
        return account_of(row)


def _ask(account: Account, body: Mapping[str, object]) -> Answer:
    try:
        return http.ask(client.template_request(account, body))
    except ProviderFailed as error:
        error.details["isRetryable"] = True
        raise
