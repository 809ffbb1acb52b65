"""Templates of each channel, in English and Hindi."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from customers.models import Channel
from marketing.content.models import MessageTemplate, TemplateType, TemplateVersion, WhatsAppStatus

CONTENTS: dict[str, dict[str, dict[str, Any]]] = {
    Channel.WHATSAPP: {
        "en": {"body": "Hi {{ customer_name }}, we have missed you. Come and see us soon!"},
        "hi": {"body": "नमस्ते {{ customer_name }}, आपकी याद आई। जल्दी मिलने आइए!"},
    },
    Channel.SMS: {
        "en": {"body": "Hi {{ customer_name }}, we have missed you at {{ salon_name }}."},
        "hi": {"body": "नमस्ते {{ customer_name }}, {{ salon_name }} में आपकी याद आई।"},
    },
    Channel.EMAIL: {
        "en": {
            "subject": "We have missed you, {{ customer_name }}",
            "body": "Hi {{ customer_name }}, come and see us soon.",
        },
        "hi": {
            "subject": "{{ customer_name }}, आपकी याद आई",
            "body": "नमस्ते {{ customer_name }}, जल्दी मिलने आइए।",
        },
    },
}


class TemplateFactory(DjangoModelFactory[MessageTemplate]):
    """A promotional WhatsApp template that WhatsApp has approved, with its first version.

    `contents=` gives other words, `whatsapp_status=` another state at WhatsApp. An SMS is
    registered in every language; `sms_ids=` says otherwise.
    """

    class Meta:
        model = MessageTemplate
        skip_postgeneration_save = True

    class Params:
        sms = factory.Trait(channel=Channel.SMS)
        email = factory.Trait(channel=Channel.EMAIL)

    name = factory.Sequence(lambda n: f"Template {n}")
    channel = Channel.WHATSAPP
    template_type = TemplateType.PROMOTIONAL

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> MessageTemplate:
        contents = fields.pop("contents", None)
        status = fields.pop("whatsapp_status", WhatsAppStatus.APPROVED)
        of_version = {"sms_ids": fields.pop("sms_ids")} if "sms_ids" in fields else {}
        template: MessageTemplate = super()._create(model_class, *args, **fields)
        VersionFactory(
            template=template,
            number=template.version,
            contents=contents or CONTENTS[template.channel],
            whatsapp_status=status if template.channel == Channel.WHATSAPP else "",
            **of_version,
        )
        return template


class VersionFactory(DjangoModelFactory[TemplateVersion]):
    """One version of a template; use `TemplateFactory` for a template with its first."""

    class Meta:
        model = TemplateVersion

    number = 1

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> TemplateVersion:
        from marketing.content.rendering import compile_contents

        template, contents = fields["template"], fields["contents"]
        compiled = compile_contents(template.channel, contents, ("en", "hi"))
        fields.setdefault("placeholders", list(compiled.placeholders))
        if template.channel == Channel.SMS:
            ids = {"dltTemplateId": "1207161000000000001", "vendorTemplateId": "flow-1"}
            fields.setdefault("sms_ids", dict.fromkeys(contents, ids))
        if status := fields.get("whatsapp_status"):
            name = f"template_{template.pk.hex}_v{fields['number']}"
            fields.setdefault("whatsapp_template_name", name)
            fields.setdefault(
                "whatsapp",
                {
                    language: {"name": name, "id": f"{name}_{language}", "status": status}
                    for language in contents
                },
            )
        made: TemplateVersion = super()._create(model_class, *args, **fields)
        return made
