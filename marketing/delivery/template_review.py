"""Handing WhatsApp templates in for review: the gateway that content calls through."""

import json
from collections.abc import Mapping

from django.utils.translation import gettext as _

from marketing.content.links import compile_sent
from marketing.content.models import TemplateVersion, WhatsAppStatus
from marketing.content.slots import examples, slots_of
from marketing.core.errors import ProviderFailed
from marketing.core.tenancy import tenant_scope
from marketing.delivery import http
from marketing.delivery.providers.base import Account, Answer, Request
from marketing.delivery.providers.meta import client
from marketing.delivery.providers.meta.webhook import TEMPLATE_STATUSES
from marketing.delivery.registry import account_of, vendor
from marketing.delivery.rules import ResultClass, by_http_status
from marketing.policy import selectors as policy
from marketing.policy.models import Provider
from marketing.policy.rules import message_category, purpose_of

ASK_AGAIN = (ResultClass.RETRY, ResultClass.UNKNOWN)


def submit_template(version: TemplateVersion, language: str) -> Mapping[str, str]:
    """Create one language of the version at Meta, or find it where it was made at the vendor.

    Returns its id and status, and the provider it is known to. Raises `ProviderFailed`; with
    `isRetryable` when the vendor could not be reached or was busy.
    """
    account = _account(version)
    if vendor(account.provider).templates:
        return {**_found(account, version, language), "provider": account.provider}
    return {**_created(account, version, language), "provider": account.provider}


def _created(account: Account, version: TemplateVersion, language: str) -> dict[str, str]:
    purpose = purpose_of(version.template.template_type, version.template.trigger_type)
    is_named = account.sender.get("parameter_format") == "NAMED"
    body = {
        "name": version.whatsapp_template_name,
        "language": language,
        "category": message_category(purpose).upper(),
        "parameter_format": "NAMED" if is_named else "POSITIONAL",
        "components": compile_sent(version).compiled.meta_components(
            language, named=is_named, samples=examples(slots_of(version), language)
        ),
    }
    answer = _ask(client.template_request(account, body))
    if answer.status >= 300:
        result = client.read_answer(answer)
        raise ProviderFailed(
            _("WhatsApp refused the template: %(reason)s")
            % {"reason": result.detail or result.code},
            details={"isRetryable": result.outcome is ResultClass.RETRY, "code": result.code},
        )
    created = json.loads(answer.body)
    known = TEMPLATE_STATUSES.get(created.get("status", ""), WhatsAppStatus.PENDING)
    made = {"id": str(created["id"]), "status": known}
    # Meta may put it under another category than it was asked to.
    return made | ({"category": str(created["category"])} if created.get("category") else {})


def _found(account: Account, version: TemplateVersion, language: str) -> dict[str, str]:
    """The template as the vendor has it. One that is still in review is asked for again."""
    made = vendor(account.provider)
    assert made.templates is not None
    name = version.whatsapp_template_name
    words = {"vendor": Provider(account.provider).label, "name": name, "language": language}
    answer = _ask(made.templates.find(account, name))
    if answer.status >= 300:
        kind = by_http_status(answer.status)
        raise ProviderFailed(
            made.client.explain_check(answer),
            details={"isRetryable": kind in ASK_AGAIN, "code": f"http_{answer.status}"},
        )
    known = made.templates.read(answer, name, language)
    if known is None:
        raise ProviderFailed(
            _(
                "%(vendor)s has no template “%(name)s” in “%(language)s”. Create it there under "
                "this name, with the words of this page, and hand it in again."
            )
            % words
        )
    if known.status == WhatsAppStatus.PENDING:
        raise ProviderFailed(
            _("“%(name)s” (%(language)s) is still in review at %(vendor)s; hand it in again later.")
            % words
        )
    return {
        "id": known.id,
        "status": known.status,
        "reason": known.reason,
        "vendorTemplateId": known.id,
    }


def _account(version: TemplateVersion) -> Account:
    with tenant_scope(version.tenant.pk):
        row = policy.default_account("whatsapp")
        if row is None:
            raise ProviderFailed(_("No WhatsApp account is set up."))
        return account_of(row)


def _ask(request: Request) -> Answer:
    try:
        return http.ask(request)
    except ProviderFailed as error:
        error.details["isRetryable"] = True
        raise
