"""Templates as they travel: Module 11's fields are views of `contents`."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from customers.models import Channel
from marketing.content.contents import Contents
from marketing.content.models import MessageTemplate, TemplateType, WhatsAppStatus
from marketing.content.rendering import compile_version
from marketing.content.selectors import current_version
from marketing.content.slots import KINDS, slots_of
from marketing.core.drf.serializers import ApiSerializer

LANGUAGE_VIEWS = {
    "content_en": ("en", "body"),
    "content_hi": ("hi", "body"),
    "email_subject_en": ("en", "subject"),
    "email_subject_hi": ("hi", "subject"),
}


def content_views(languages: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Each of Module 11's content fields, and the language and part it stands for."""
    return LANGUAGE_VIEWS | {"email_html_content": (languages[0], "html")}


TOPIC = "What it is about; who does not want to hear of that is left out as `no_consent`."


class SlotShape(ApiSerializer):
    """What campaigns fill in, where the words have `{{ slot_<name> }}`."""

    name = serializers.CharField(help_text="Lower-case letters, digits and underscores.")
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.ChoiceField(list(KINDS), required=False, help_text="Default: text.")
    max_length = serializers.IntegerField(required=False, help_text="In characters.")
    example = serializers.CharField(help_text="Shown in previews, and to WhatsApp's reviewers.")


class SlotOutput(SlotShape):
    required = serializers.BooleanField(  # type: ignore[assignment]
        help_text="Somewhere it stands without a default."
    )


LOCKED = "The words are head office's alone; branches send them and fill in the slots."


class ContentFields(ApiSerializer):
    """The words: whole as `contents`, or by Module 11's names."""

    contents = serializers.DictField(
        required=False,
        help_text="Language to its parts, e.g. {'en': {'body': 'Hi {{ customer_name }}'}}; on "
        "PATCH a language that is not named stays, and null takes one out.",
    )
    content_en = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    content_hi = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    email_subject_en = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    email_subject_hi = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    email_html_content = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    whatsapp_template_name = serializers.CharField(required=False, allow_blank=True)
    sms_ids = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField(allow_blank=True)),
        required=False,
        help_text="Language to {'dltTemplateId': …, 'vendorTemplateId': …, 'dltText': …}.",
    )
    slots = SlotShape(many=True, required=False)
    is_locked = serializers.BooleanField(required=False, help_text=LOCKED)


class TemplateInput(ContentFields):
    name = serializers.CharField(max_length=100)
    description = serializers.CharField(required=False, allow_blank=True)
    channel = serializers.ChoiceField(Channel.choices)
    template_type = serializers.ChoiceField(TemplateType.choices)
    trigger_type = serializers.CharField(required=False, allow_blank=True)
    category = serializers.CharField(required=False, allow_blank=True)
    topic_id = serializers.UUIDField(required=False, allow_null=True, help_text=TOPIC)


class TemplatePatch(ContentFields):
    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(required=False, allow_blank=True)
    channel = serializers.ChoiceField(Channel.choices, required=False)
    template_type = serializers.ChoiceField(TemplateType.choices, required=False)
    trigger_type = serializers.CharField(required=False, allow_blank=True)
    category = serializers.CharField(required=False, allow_blank=True)
    topic_id = serializers.UUIDField(required=False, allow_null=True, help_text=TOPIC)
    is_active = serializers.BooleanField(required=False)
    version = serializers.IntegerField(
        required=False, help_text="The version you edited; a stale one answers 409."
    )


OF_TEMPLATE = (
    *("id", "tenant_id", "name", "description", "channel", "template_type", "trigger_type"),
    *("category", "topic_id", "version", "is_system", "is_active", "created_at", "updated_at"),
    *("created_by_id", "is_locked"),
)
OF_SLOT = ("name", "label", "kind", "max_length", "example")
OF_VERSION = ("contents", "whatsapp", "sms_ids", "placeholders")


class TemplateOutput(ApiSerializer):
    id = serializers.UUIDField()
    tenant_id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    channel = serializers.CharField()
    template_type = serializers.CharField()
    trigger_type = serializers.CharField()
    category = serializers.CharField()
    topic_id = serializers.UUIDField(allow_null=True, help_text=TOPIC)
    contents = serializers.DictField()
    content_en = serializers.CharField(allow_null=True)
    content_hi = serializers.CharField(allow_null=True)
    email_subject_en = serializers.CharField(allow_null=True)
    email_subject_hi = serializers.CharField(allow_null=True)
    email_html_content = serializers.CharField(allow_null=True)
    whatsapp_template_name = serializers.CharField(allow_null=True)
    whatsapp_template_status = serializers.ChoiceField(WhatsAppStatus.choices, allow_null=True)
    whatsapp_template_id = serializers.CharField(allow_null=True)
    whatsapp = serializers.DictField(
        help_text="What WhatsApp says of each language that was handed in."
    )
    sms_ids = serializers.DictField()
    slots = SlotOutput(many=True)
    placeholders = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField()
    is_system = serializers.BooleanField()
    is_locked = serializers.BooleanField(help_text=LOCKED)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)

    def to_representation(self, template: MessageTemplate) -> dict[str, Any]:
        version = current_version(template)
        languages = self.context["languages"]
        views = {
            name: version.contents.get(language, {}).get(part)
            for name, (language, part) in content_views(languages).items()
        }
        required = compile_version(version).required if version.slots else frozenset()
        open_slots = [
            {
                **{name: getattr(slot, name) for name in OF_SLOT},
                "required": slot.placeholder in required,
            }
            for slot in slots_of(version)
        ]
        shown: dict[str, Any] = super().to_representation(
            views
            | {name: getattr(template, name) for name in OF_TEMPLATE}
            | {name: getattr(version, name) for name in OF_VERSION}
            | {
                "slots": open_slots,
                "whatsapp_template_name": version.whatsapp_template_name or None,
                "whatsapp_template_status": version.whatsapp_status or None,
                "whatsapp_template_id": version.whatsapp.get(languages[0], {}).get("id"),
            }
        )
        return shown


class TemplateAnswer(ApiSerializer):
    template = TemplateOutput()


class TemplatePreviewInput(ApiSerializer):
    customer_id = serializers.UUIDField(required=False, allow_null=True)
    sample_data = serializers.DictField(
        child=serializers.CharField(allow_blank=True), required=False
    )
    language = serializers.CharField(max_length=10, required=False)


class TemplatePreviewAnswer(ApiSerializer):
    preview = serializers.CharField()
    language = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    html = serializers.CharField(allow_blank=True)
    placeholders_used = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="She would be skipped for want of these."
    )
    character_count = serializers.IntegerField()
    sms_segments = serializers.IntegerField(allow_null=True)
    sms_encoding = serializers.CharField(allow_null=True)


class SubmitInput(ApiSerializer):
    template_id = serializers.UUIDField()


def merged_contents(
    data: dict[str, Any], present: Contents, languages: Sequence[str]
) -> dict[str, Any] | None:
    """`contents` with Module 11's fields laid over it; None when the body names neither.

    Takes them out of `data`. An empty body takes its language out.
    """
    views = {name: at for name, at in content_views(languages).items() if name in data}
    if not views and "contents" not in data:
        return None
    merged = {**present, **data.pop("contents", {})}
    for name, (language, part) in views.items():
        value = data.pop(name)
        parts = merged.get(language) or {}
        if part == "body" and not value:
            merged[language] = None
        elif isinstance(parts, Mapping) and (value or parts):
            merged[language] = {**parts, part: value or ""}
    return {language: parts for language, parts in merged.items() if parts is not None}
