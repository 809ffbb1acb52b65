"""What a message said: rendered again from the version and the variables it kept."""

from marketing.content.rendering import MissingValue, Rendered, compile_version
from marketing.delivery.models import Message


def content_sent(message: Message) -> Rendered:
    """The text as sent, in the message's language; signed links are left out.

    Empty when a value it needs is not there: the person was skipped for it, or erased.
    """
    if message.template_version is None:
        return Rendered(body=message.variables.get("text", ""), language=message.language)
    compiled = compile_version(message.template_version)
    try:
        return compiled.render(message.language, {"unsubscribe_url": "", **message.variables})
    except MissingValue:
        return Rendered(body="", language=message.language)
