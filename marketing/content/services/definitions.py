"""Templates made, changed, copied and taken out of use."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Channel, MessageTopic
from marketing.content import rules
from marketing.content.contents import Contents, clean_contents, placeholders_of
from marketing.content.errors import (
    HeadOfficeWrites,
    ReadOnlyTemplate,
    TemplateInUse,
    TemplateLocked,
)
from marketing.content.links import short_links_at
from marketing.content.models import (
    MessageTemplate,
    TemplateType,
    TemplateVersion,
    TriggerType,
    WhatsAppStatus,
)
from marketing.content.selectors import current_version, sends_locked_only
from marketing.content.slots import Slot, clean_declarations, slots_of
from marketing.content.usage import users_of
from marketing.core import audit
from marketing.core.actor import Actor
from marketing.core.errors import Conflict, ValidationFailed
from marketing.core.tenancy import current_tenant
from marketing.policy import selectors as policy

MAX_NAME = 100
MAX_DESCRIPTION = 2000
MAX_CATEGORY = 50
SMS_IDS = {"dltTemplateId": 40, "vendorTemplateId": 100, "dltText": 2000}
FIXED = {"channel": "channel", "template_type": "templateType", "trigger_type": "triggerType"}

SmsIds = Mapping[str, Mapping[str, str]]


@transaction.atomic
def create_template(
    *,
    actor: Actor,
    name: str,
    channel: str,
    template_type: str,
    contents: Mapping[str, Any],
    description: str = "",
    category: str = "",
    trigger_type: str = "",
    topic_id: uuid.UUID | None = None,
    whatsapp_template_name: str = "",
    sms_ids: SmsIds | None = None,
    slots: Sequence[Mapping[str, Any]] = (),
    is_locked: bool = False,
    is_system: bool = False,
) -> MessageTemplate:
    """Make a template and its first version.

    `contents` is `{language: parts}` as `TemplateVersion` says; a WhatsApp name is made from
    `name` when none is given. `slots` are what campaigns are to fill in. Raises
    `ValidationFailed` with each field at fault, and `HeadOfficeWrites` where branches write none.
    """
    actor.require("template.manage")
    if sends_locked_only(actor):
        raise HeadOfficeWrites()
    if is_locked:
        actor.require("template.lock")
    errors: dict[str, list[str]] = {}
    if channel not in Channel.values:
        errors["channel"] = [_("One of %(all)s.") % {"all": ", ".join(Channel.values)}]
    if template_type not in TemplateType.values:
        errors["templateType"] = [_("One of %(all)s.") % {"all": ", ".join(TemplateType.values)}]
    if trigger_type and trigger_type not in TriggerType.values:
        errors["triggerType"] = [_("One of %(all)s.") % {"all": ", ".join(TriggerType.values)}]
    elif trigger_type and template_type != TemplateType.TRIGGER:
        errors["triggerType"] = [_("Only a template that a trigger sends has an occasion.")]
    if errors:
        raise ValidationFailed(fields=errors)
    template = MessageTemplate(
        channel=channel,
        template_type=template_type,
        trigger_type=trigger_type,
        topic_id=_known_topic(topic_id),
        is_system=is_system,
        is_locked=is_locked,
        created_by=actor.user,
        **_cleaned({"name": name, "description": description, "category": category}),
    )
    open_slots = _clean_slots(slots)
    cleaned = _clean_contents(channel, contents, open_slots)
    template.save()
    ids = _clean_sms_ids(sms_ids or {}, cleaned)
    _add_version(template, cleaned, open_slots, whatsapp_template_name, ids)
    audit.record(actor, "template.create", template, {"name": template.name, "channel": channel})
    return template


@transaction.atomic
def update_template(
    *,
    actor: Actor,
    template: MessageTemplate,
    values: Mapping[str, Any],
    version: int | None = None,
) -> MessageTemplate:
    """Change `name`, `description`, `category`, `topic_id`, `is_active`, `is_locked`, `contents`,
    `slots`, `sms_ids` or `whatsapp_template_name`.

    Other words or slots make a new version, which WhatsApp must approve anew; runs and campaigns
    that are frozen keep theirs. SMS ids of a language belong to its words: they go when those
    change, unless new ones come along. Channel and type stay for good, because consent and
    price rest on them. Raises `TemplateLocked`, and `Conflict` when `version` is given and no
    longer the newest (`details["current"]`).
    """
    template = _locked(actor, template)
    if version is not None and version != template.version:
        raise Conflict(details={"current": template.version})
    for name, wire_name in FIXED.items():
        if name in values and values[name] != getattr(template, name):
            raise ValidationFailed(
                fields={wire_name: [_("This stays for good; copy the template to change it.")]}
            )
    cleaned: dict[str, Any] = {**_cleaned(values)}
    if "topic_id" in values and values["topic_id"] != template.topic_id:
        cleaned["topic_id"] = _known_topic(values["topic_id"])
    if values.get("is_active", template.is_active) != template.is_active:
        cleaned["is_active"] = values["is_active"]
        if template.is_active:
            _require_unused(template)
    if values.get("is_locked", template.is_locked) != template.is_locked:
        actor.require("template.lock")
        cleaned["is_locked"] = values["is_locked"]
    changes = audit.difference(template, cleaned)
    for name, value in cleaned.items():
        setattr(template, name, value)
    changes |= _update_words(template, values)
    if changes:
        template.save()
        audit.record(actor, "template.update", template, changes)
    return template


@transaction.atomic
def deactivate_template(*, actor: Actor, template: MessageTemplate) -> None:
    """Take a template out of use; its versions stay for what was sent with them.

    Raises `TemplateLocked`, and `TemplateInUse` with `details["usedBy"]`. A pre-built one may go
    as well.
    """
    actor.require("template.manage")
    template = MessageTemplate.objects.select_for_update().get(pk=template.pk)
    require_unlocked(actor, template)
    _require_unused(template)
    template.is_active = False
    template.save()
    audit.record(actor, "template.deactivate", template, {"name": template.name})


def copy_template(*, actor: Actor, template: MessageTemplate, name: str = "") -> MessageTemplate:
    """A new template with the same words, in the languages the chain still writes in.

    Raises `TemplateLocked` to whom may not lock: words that are to stay as they are have no copy.
    """
    require_unlocked(actor, template)
    version = current_version(template)
    languages = current_tenant().languages
    return create_template(
        actor=actor,
        name=name or _("%(name)s (copy)") % {"name": template.name[: MAX_NAME - 20]},
        channel=template.channel,
        template_type=template.template_type,
        contents={code: version.contents[code] for code in languages if code in version.contents},
        description=template.description,
        category=template.category,
        trigger_type=template.trigger_type,
        topic_id=template.topic_id if template.topic and template.topic.is_active else None,
        slots=version.slots,
        is_locked=template.is_locked,
    )


def require_unlocked(actor: Actor, template: MessageTemplate) -> None:
    """Unless the actor may lock it, raises `TemplateLocked` where head office has locked it, and
    `HeadOfficeWrites` where branches may not write any."""
    if template.is_locked and not actor.can("template.lock"):
        raise TemplateLocked()
    if sends_locked_only(actor):
        raise HeadOfficeWrites()


def _locked(actor: Actor, template: MessageTemplate) -> MessageTemplate:
    actor.require("template.manage")
    locked = MessageTemplate.objects.select_for_update().get(pk=template.pk)
    if locked.is_system:
        raise ReadOnlyTemplate()
    require_unlocked(actor, locked)
    return locked


def _require_unused(template: MessageTemplate) -> None:
    users = users_of(template)
    if users:
        raise TemplateInUse(
            _("This template is in use: %(users)s.") % {"users": ", ".join(u.name for u in users)},
            details={"usedBy": [{"kind": u.kind, "name": u.name, "url": u.url} for u in users]},
        )


def _update_words(template: MessageTemplate, values: Mapping[str, Any]) -> dict[str, Any]:
    """Apply `contents`, `slots`, `sms_ids` and the WhatsApp name; returns what the audit notes."""
    present = current_version(template)
    contents: Contents = present.contents
    open_slots = _clean_slots(values.get("slots", present.slots))
    if "contents" in values or "slots" in values:
        words = values.get("contents", contents)
        contents = _clean_contents(template.channel, words, open_slots)
    sms_ids = _clean_sms_ids(values.get("sms_ids") or {}, contents)
    if contents != present.contents or open_slots != slots_of(present):
        kept = {
            language: ids
            for language, ids in present.sms_ids.items()
            if contents.get(language) == present.contents.get(language)
        }
        name = values.get("whatsapp_template_name") or ""
        template.version += 1
        _add_version(
            template,
            contents,
            open_slots,
            "" if name == present.whatsapp_template_name else name,
            kept | sms_ids,
        )
        return {"version": [present.number, template.version]}
    if "sms_ids" in values and sms_ids != present.sms_ids:
        before, present.sms_ids = present.sms_ids, sms_ids
        present.save(update_fields=["sms_ids"])
        return {"sms_ids": [before, sms_ids]}
    return {}


def _add_version(
    template: MessageTemplate,
    contents: Contents,
    slots: Sequence[Slot],
    whatsapp_template_name: str,
    sms_ids: SmsIds,
) -> None:
    version = TemplateVersion(
        template=template,
        number=template.version,
        contents=contents,
        slots=[asdict(slot) for slot in slots],
        placeholders=placeholders_of(template.channel, contents, current_tenant().languages),
        tracks_links=policy.is_tracked(template.channel),
    )
    if template.channel == Channel.WHATSAPP:
        version.whatsapp_status = WhatsAppStatus.PENDING
        version.whatsapp_template_name = _whatsapp_name(template, whatsapp_template_name)
    if template.channel == Channel.SMS:
        version.sms_ids = dict(sms_ids)
    version.save()


def _whatsapp_name(template: MessageTemplate, given: str) -> str:
    """The name asked for, or one made from the template's and not taken yet."""

    def is_taken(name: str) -> bool:
        return TemplateVersion.objects.filter(whatsapp_template_name=name).exists()

    if given:
        message = ""
        if not rules.is_whatsapp_name(given):
            message = _("Use lower-case letters, digits and underscores only.")
        elif is_taken(given):
            message = _("Another template or version has this name at WhatsApp.")
        if message:
            raise ValidationFailed(fields={"whatsappTemplateName": [message]})
        return given
    suffix = f"v{template.version}"
    made = rules.whatsapp_name(template.name, suffix=suffix)
    if is_taken(made):
        made = rules.whatsapp_name(template.name, suffix=f"{template.pk.hex[-8:]}_{suffix}")
    return made


def _clean_slots(declared: Sequence[Mapping[str, Any]]) -> list[Slot]:
    found, faults = clean_declarations(declared)
    if faults:
        raise ValidationFailed(fields=faults)
    return found


def _clean_contents(channel: str, contents: Mapping[str, Any], slots: Sequence[Slot]) -> Contents:
    tenant = current_tenant()
    return clean_contents(
        channel,
        contents,
        languages=tenant.languages,
        country=tenant.country,
        short_links_at=short_links_at(channel),
        slots=slots,
    )


def _known_topic(topic_id: uuid.UUID | None) -> uuid.UUID | None:
    if topic_id and not MessageTopic.objects.filter(pk=topic_id, is_active=True).exists():
        raise ValidationFailed(fields={"topicId": [_("Choose one of the list.")]})
    return topic_id


def _cleaned(values: Mapping[str, Any]) -> dict[str, str]:
    """The plain texts among the values, trimmed and within their limits."""
    limits = {"name": MAX_NAME, "description": MAX_DESCRIPTION, "category": MAX_CATEGORY}
    cleaned = {name: str(values[name] or "").strip() for name in limits if name in values}
    errors = {
        name: [_("At most %(limit)d characters.") % {"limit": limits[name]}]
        for name, text in cleaned.items()
        if len(text) > limits[name]
    }
    if cleaned.get("name") == "":
        errors["name"] = [_("Give the template a name.")]
    if errors:
        raise ValidationFailed(fields=errors)
    return cleaned


def _clean_sms_ids(sms_ids: SmsIds, contents: Contents) -> dict[str, dict[str, str]]:
    """Ids of languages that have words, without empty ones."""
    errors: dict[str, list[str]] = {}
    cleaned: dict[str, dict[str, str]] = {}
    for language, ids in sms_ids.items():
        if language not in contents:
            continue
        for name, value in ids.items():
            path = f"smsIds.{language}.{name}"
            if name not in SMS_IDS:
                errors[path] = [_("One of %(all)s.") % {"all": ", ".join(SMS_IDS)}]
            elif len(value) > SMS_IDS[name]:
                errors[path] = [_("At most %(limit)d characters.") % {"limit": SMS_IDS[name]}]
            elif value.strip():
                cleaned.setdefault(language, {})[name] = value.strip()
    if errors:
        raise ValidationFailed(fields=errors)
    return cleaned
