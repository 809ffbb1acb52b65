"""A message is written because a campaign lacks one: the way from there, and back with it."""

from django.http import HttpRequest
from django.utils.http import urlencode

from marketing.content.models import MessageTemplate
from marketing.core.pages import way_back


def onwards(request: HttpRequest, **asked: str) -> str:
    """The query that leads on and knows the way back."""
    back = way_back(request)
    query = urlencode(asked | ({"next": back} if back else {}))
    return f"?{query}" if query else ""


def back_with(request: HttpRequest, template: MessageTemplate) -> str:
    """Where the message was missed, with it chosen (`?template=`); "" when nowhere."""
    back = way_back(request)
    return f"{back}{'&' if '?' in back else '?'}template={template.pk}" if back else ""
