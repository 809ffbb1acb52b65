"""JSON in and out: the success envelope, and no NaN."""

from typing import Any

from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer


class EnvelopeRenderer(JSONRenderer):
    """Wrap what a view returned as `{"success": true, "data": …}`; errors come wrapped."""

    def render(self, data: Any, accepted_media_type: Any = None, context: Any = None) -> bytes:
        response = context["response"] if context else None
        if response is not None and response.status_code < 400 and data is not None:
            if response.headers.pop("X-Enveloped", None):
                data = {"success": True, **data}
            else:
                data = {"success": True, "data": data}
        return super().render(data, accepted_media_type, context)


class StrictJSONParser(JSONParser):
    """JSON without NaN or Infinity."""

    strict = True
