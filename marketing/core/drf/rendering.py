"""JSON in and out: the success envelope, no NaN, and only text that can be stored."""

import io
import json
import re
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
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


HALF_A_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


class StrictJSONParser(JSONParser):
    """JSON without NaN, Infinity, halves of characters, or nesting beyond any reason."""

    strict = True

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read()
        try:
            data = super().parse(io.BytesIO(body), media_type, parser_context)
            if HALF_A_CHARACTER.search(body):
                json.dumps(data, ensure_ascii=False).encode()
        except (RecursionError, UnicodeEncodeError) as error:
            raise ParseError() from error
        return data
