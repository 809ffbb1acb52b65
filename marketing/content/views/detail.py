"""One template: what it says, how it stands, what to do with it."""

import uuid
from typing import Any

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.models import Channel
from marketing.content import email_html, merge_fields, services
from marketing.content.forms import language_name
from marketing.content.models import (
    MessageTemplate,
    TemplateVersion,
    TriggerType,
    WhatsAppStatus,
)
from marketing.content.preview import preview
from marketing.content.selectors import (
    current_version,
    get_template_for_actor,
    may_write_templates,
    versions_of,
)
from marketing.content.slots import KINDS, slots_of
from marketing.content.usage import users_of
from marketing.content.views.errand import back_with, onwards
from marketing.content.views.link_panel import links_of
from marketing.content.views.preview_panel import panel
from marketing.content.views.reviews import news_of, reviews_of
from marketing.core.errors import DomainError, NotFound
from marketing.core.htmx import StaffRequest
from marketing.core.pages import staff_view
from marketing.core.tenancy import current_tenant
from marketing.policy.rules import purpose_of

VERSIONS = 20
# A sandbox without exceptions: no scripts, no forms, no cookies of ours.
MAIL_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["https:", "data:"],
    "frame-ancestors": [NONE],
    "sandbox": ["allow-popups"],
}


@staff_view("template.view")
@require_safe
def template_detail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    template = get_template_for_actor(request.actor, pk)
    version = current_version(template)
    is_open = not template.is_locked or request.actor.can("template.lock")
    may_write = may_write_templates(request.actor)
    codes = [code for code in current_tenant().languages if code in version.contents]
    language = request.GET.get("language", "")
    language = language if language in codes else codes[0]
    return render(
        request,
        "content/detail.html",
        {
            "template": template,
            "back": back_with(request, template),
            "onwards": onwards(request),
            "version": version,
            "versions": [_outline(each, codes[0]) for each in versions_of(template)[:VERSIONS]],
            "occasion": dict(TriggerType.choices).get(template.trigger_type, ""),
            "field_labels": [
                merge_fields.label(name)
                for name in version.placeholders
                if merge_fields.kind(name) != merge_fields.SLOT_KIND
            ],
            "sms_ids": [
                {"language": language_name(code), **ids} for code, ids in version.sms_ids.items()
            ],
            "reviews": reviews_of(template, version),
            "news": news_of(template),
            "may_submit": services.may_submit(version),
            "may_change": is_open and may_write,
            "head_office_writes": not may_write,
            "slots": [(slot, KINDS[slot.kind]) for slot in slots_of(version)],
            "is_reviewed": version.is_handed_in
            and version.whatsapp_status == WhatsAppStatus.PENDING,
            "uses": users_of(template),
            **links_of(version),
            "language": language,
            "languages": [
                {
                    "label": language_name(code),
                    "url": f"?language={code}",
                    "active": code == language,
                }
                for code in codes
            ],
            "panel": panel(
                request.actor,
                template.channel,
                version.contents,
                language=language,
                asked=request.GET,
                purpose=purpose_of(template.template_type, template.trigger_type),
                category=version.price_category,
                slots=slots_of(version),
            ),
        },
    )


@staff_view("template.view")  # type: ignore[arg-type]
@require_safe
@csp(MAIL_POLICY)  # type: ignore[arg-type]
def template_mail(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The e-mail as mail programs show it, on a page that may run and load nothing."""
    template = get_template_for_actor(request.actor, pk)
    if template.channel != Channel.EMAIL:
        raise NotFound()
    languages = current_tenant().languages
    seen = preview(
        template.channel,
        current_version(template).contents,
        languages=languages,
        language=request.GET.get("language", languages[0]),
        purpose=purpose_of(template.template_type, template.trigger_type),
        slots=slots_of(current_version(template)),
    )
    html = email_html.for_frame(seen.rendered.html)
    if email_html.is_document(html):
        return HttpResponse(html)
    return render(
        request,
        "content/mail.html",
        {"subject": seen.rendered.subject, "language": seen.rendered.language, "html": html},
    )


@staff_view("template.manage")
@require_POST
def template_copy(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    template = get_template_for_actor(request.actor, pk)
    try:
        copy = services.copy_template(actor=request.actor, template=template)
    except DomainError as error:
        return _refused(request, template, error)
    messages.success(request, _("Copied. Change the copy as you like."))
    return redirect("template-edit", copy.pk)


@staff_view("template.manage")
@require_POST
def template_submit(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    template = get_template_for_actor(request.actor, pk)
    try:
        services.submit_whatsapp(actor=request.actor, template=template)
    except DomainError as error:
        return _refused(request, template, error)
    messages.success(request, _("Handed in."))
    return redirect(f"{reverse('template-detail', args=[template.pk])}{onwards(request)}")


@staff_view("template.manage")
@require_POST
def template_deactivate(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    template = get_template_for_actor(request.actor, pk)
    try:
        services.deactivate_template(actor=request.actor, template=template)
    except DomainError as error:
        return _refused(request, template, error)
    messages.success(request, _("Taken out of use."))
    return redirect("template-list")


def _refused(request: StaffRequest, template: MessageTemplate, error: DomainError) -> HttpResponse:
    reasons = [reason for found in error.fields.values() for reason in found]
    messages.error(request, " ".join(reasons) or error.message)
    return redirect("template-detail", template.pk)


def _outline(version: TemplateVersion, language: str) -> dict[str, Any]:
    """A line in the list of versions: its body in the language, or in one that it has."""
    language = language if language in version.contents else next(iter(version.contents))
    return {
        "number": version.number,
        "created_at": version.created_at,
        "status": version.get_whatsapp_status_display(),
        "language": language,
        "body": version.contents[language]["body"],
    }
