"""Reads of message templates. They belong to the whole chain, not to a branch."""

import uuid
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db.models import F, Prefetch, QuerySet

from customers.rules import normalize_phone
from marketing.content.models import MessageTemplate, TemplateVersion
from marketing.content.prebuilt import Contact
from marketing.core.actor import Actor
from marketing.core.errors import NotFound
from marketing.core.models import Branch
from marketing.core.tenancy import current_tenant
from marketing.policy import selectors as policy


def templates_for_actor(actor: Actor) -> QuerySet[MessageTemplate]:
    """Every template, each with its newest version in `current_versions` (one query more)."""
    actor.require("template.view")
    newest = TemplateVersion.objects.filter(number=F("template__version"))
    return MessageTemplate.objects.prefetch_related(
        Prefetch("versions", queryset=newest, to_attr="current_versions")
    )


def sends_locked_only(actor: Actor) -> bool:
    """Whether the chain lets the actor send only what head office has locked, and write nothing."""
    return not actor.can("template.lock") and policy.get_config().locked_templates_only


def may_write_templates(actor: Actor) -> bool:
    """Whether the actor may make templates, and change those that nobody has locked."""
    return actor.can("template.manage") and not sends_locked_only(actor)


def templates_to_send(actor: Actor) -> QuerySet[MessageTemplate]:
    """The templates in use that the actor may choose for a campaign."""
    usable = templates_for_actor(actor).filter(is_active=True)
    return usable.filter(is_locked=True) if sends_locked_only(actor) else usable


def get_template_for_actor(actor: Actor, pk: uuid.UUID | str) -> MessageTemplate:
    """The template, or `NotFound`."""
    try:
        return templates_for_actor(actor).get(pk=pk)
    except (MessageTemplate.DoesNotExist, ValidationError) as error:
        raise NotFound() from error


def current_version(template: MessageTemplate) -> TemplateVersion:
    """The newest version, from what `templates_for_actor` fetched or by a query."""
    fetched: list[TemplateVersion] = getattr(template, "current_versions", [])
    if fetched and fetched[0].number == template.version:
        return fetched[0]
    versions = TemplateVersion.objects.select_related("tenant")
    version = versions.get(template=template, number=template.version)
    version.template = template
    return version


def current_versions(template_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, TemplateVersion]:
    """The newest version of each of these templates, with the template and the chain."""
    newest = TemplateVersion.objects.filter(
        template__in=template_ids, number=F("template__version")
    ).select_related("template", "tenant")
    return {version.template_id: version for version in newest}


def versions_of(template: MessageTemplate) -> QuerySet[TemplateVersion]:
    """All versions, newest first."""
    return TemplateVersion.objects.filter(template=template).order_by("-number")


def find_whatsapp_version(name: str) -> TemplateVersion | None:
    """The version that WhatsApp knows by this name, if it is ours."""
    return (
        TemplateVersion.objects.select_related("template")
        .filter(whatsapp_template_name=name)
        .first()
    )


def chain_contact() -> Contact:
    """Where the open chain's customers book: its website, and the first number of a branch."""
    with_phone = Branch.objects.filter(is_active=True).exclude(phone="").order_by("pk")
    for phone in with_phone.values_list("phone", flat=True):
        try:
            number = normalize_phone(phone, current_tenant().country)
        except ValueError:
            continue
        return Contact(policy.get_config().website, number)
    return Contact(policy.get_config().website)
