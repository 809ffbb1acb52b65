"""A version's way through WhatsApp's review, one language at a time."""

import datetime as dt
import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Channel
from marketing.content import gateway
from marketing.content.errors import TemplateNotSubmittable
from marketing.content.models import MessageTemplate, TemplateVersion, WhatsAppStatus
from marketing.content.selectors import current_version
from marketing.content.services.definitions import require_unlocked
from marketing.content.services.whatsapp_news import (
    entry_of,
    note_handed_in,
    save,
    set_category,
    set_status,
)
from marketing.content.tasks import submit_whatsapp_template
from marketing.core import audit, clock
from marketing.core.actor import Actor
from marketing.core.errors import ProviderFailed
from marketing.core.tenancy import current_tenant_id, tenant_scope
from marketing.policy import selectors as policy

# After this long without an answer the nudge to hand in is taken for lost.
GIVE_UP = dt.timedelta(minutes=45)


@transaction.atomic
def submit_whatsapp(*, actor: Actor, template: MessageTemplate) -> TemplateVersion:
    """Have every language of the newest version handed in to WhatsApp, after the commit.

    Languages that WhatsApp has already, by the provider we send by, are left alone. Raises
    `TemplateLocked`, and `TemplateNotSubmittable` when there is nothing to hand in, or when it is
    being handed in right now.
    """
    actor.require("template.manage")
    require_unlocked(actor, template)
    if template.channel != Channel.WHATSAPP:
        raise TemplateNotSubmittable(_("Only WhatsApp messages need WhatsApp's approval."))
    if not template.is_active:
        raise TemplateNotSubmittable(_("This template is out of use."))
    version = TemplateVersion.objects.select_for_update().get(pk=current_version(template).pk)
    waiting = _to_hand_in(version, _sending_provider())
    if not waiting:
        raise TemplateNotSubmittable(
            _("WhatsApp has every language of this version already."),
            details={"whatsappStatus": version.whatsapp_status},
        )
    now = clock.now()
    if any(_is_under_way(version.whatsapp.get(language, {}), now) for language in waiting):
        raise TemplateNotSubmittable(_("This version is being handed in just now."))
    for language in waiting:
        before = version.whatsapp.get(language, {})
        version.whatsapp[language] = {
            "name": version.whatsapp_template_name,
            "status": WhatsAppStatus.PENDING.value,
            "submittedAt": now.isoformat(),
        }
        note_handed_in(version.whatsapp[language], before)
    save(version)
    audit.record(
        actor, "template.submit", template, {"version": version.number, "languages": waiting}
    )
    tenant_id = str(current_tenant_id())
    version_id = str(version.pk)
    transaction.on_commit(lambda: submit_whatsapp_template.delay(tenant_id, version_id))
    return version


def hand_in(*, tenant_id: uuid.UUID, version_id: uuid.UUID, is_last_try: bool) -> None:
    """Call the vendor for each language still without an id, and note what came of it.

    Raises `ProviderFailed` when trying again may help and this was not the last try.
    """
    with tenant_scope(tenant_id):
        version = TemplateVersion.objects.select_related("template", "tenant").get(pk=version_id)
        waiting = _to_hand_in(version, _sending_provider())
    for language in waiting:
        try:
            answer = dict(gateway.submit(version, language))
        except ProviderFailed as error:
            if error.details.get("isRetryable") and not is_last_try:
                raise
            answer = {"failure": error.message}
        with tenant_scope(tenant_id):
            _note_answer(version_id, language, answer)


def _note_answer(version_id: uuid.UUID, language: str, answer: dict[str, str]) -> None:
    version = _locked(version_id)
    entry = entry_of(version, language)
    if "failure" in answer:
        if entry.get("id"):
            return  # another try got through
        # Not handed in: the page says why and offers to try again.
        kept = {name: entry[name] for name in ("history",) if name in entry}
        version.whatsapp[language] = {"reason": answer["failure"], **kept}
        save(version)
        return
    entry |= {key: answer[key] for key in ("id", "provider", "vendorTemplateId") if key in answer}
    # The webhook may have been quicker than the answer.
    if entry.get("status", WhatsAppStatus.PENDING) == WhatsAppStatus.PENDING:
        set_status(version, language, answer["status"], answer.get("reason", ""))
    if "category" in answer and not entry.get("categoryAt"):
        set_category(version, language, answer["category"])
    save(version)


def _locked(version_id: uuid.UUID) -> TemplateVersion:
    return TemplateVersion.objects.select_for_update().get(pk=version_id)


def _sending_provider() -> str:
    account = policy.default_account(Channel.WHATSAPP)
    return account.provider if account else ""


def _to_hand_in(version: TemplateVersion, provider: str) -> list[str]:
    """The languages that the provider we send by (if any) does not know yet."""
    known_to = {language: version.whatsapp_provider(language) for language in version.contents}
    return [
        language
        for language, known in known_to.items()
        if not known or (provider and known != provider)
    ]


def may_submit(version: TemplateVersion) -> bool:
    """Whether handing in this newest version of its template would be accepted now."""
    template = version.template
    if template.channel != Channel.WHATSAPP or not template.is_active:
        return False
    now = clock.now()
    waiting = _to_hand_in(version, _sending_provider())
    return bool(waiting) and not any(
        _is_under_way(version.whatsapp.get(language, {}), now) for language in waiting
    )


def _is_under_way(entry: dict[str, str], now: dt.datetime) -> bool:
    submitted_at = entry.get("submittedAt", "")
    return submitted_at != "" and now - dt.datetime.fromisoformat(submitted_at) < GIVE_UP
