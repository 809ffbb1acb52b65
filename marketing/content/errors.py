"""Refusals of message templates."""

from django.utils.translation import gettext_lazy as _

from marketing.core.errors import Conflict, Forbidden


class TemplateInUse(Conflict):
    default_message = _("Something still uses this template.")


class TemplateNotSubmittable(Conflict):
    default_message = _("This template cannot be handed in to WhatsApp.")


class ReadOnlyTemplate(Conflict):
    default_message = _("A pre-built template cannot be changed; copy it and change the copy.")


class HeadOfficeWrites(Forbidden):
    default_message = _("In this chain head office writes the messages; branches send them.")


class TemplateLocked(Forbidden):
    default_message = _("Head office has locked this template: send it as it is.")
