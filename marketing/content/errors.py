"""Refusals of message templates."""

from marketing.core.errors import Conflict


class TemplateInUse(Conflict):
    default_message = "Something still uses this template."


class TemplateNotSubmittable(Conflict):
    default_message = "This template cannot be handed in to WhatsApp."


class ReadOnlyTemplate(Conflict):
    default_message = "A pre-built template cannot be changed; copy it and change the copy."
