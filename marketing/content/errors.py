"""Refusals of message templates."""

from django.utils.translation import gettext_lazy as _

from marketing.core.errors import Conflict


class TemplateInUse(Conflict):
    default_message = _("Something still uses this template.")


class TemplateNotSubmittable(Conflict):
    default_message = _("This template cannot be handed in to WhatsApp.")


class ReadOnlyTemplate(Conflict):
    default_message = _("A pre-built template cannot be changed; copy it and change the copy.")
