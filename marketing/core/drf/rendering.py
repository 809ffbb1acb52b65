"""JSON in and out: the success envelope, no NaN, and only text that can be stored."""

import io
import json
import re
from collections.abc import Mapping
from typing import Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class EnvelopeRenderer(JSONRenderer):
    """Wrap what a view returned as `{"success": true, "data": …}`; errors come wrapped."""

    def render(self, data: Any, accepted_media_type: Any = None, context: Any = None) -> bytes:
        response = context["response"] if context else None
        if response is not None and response.status_code < 400 and data is not None:
            if response.headers.pop("X-Enveloped", None):
                data = {"success": True, **data}
            else:
                data = {"success": True, "data": data}
        return self._quickly(data, accepted_media_type) or super().render(
            data, accepted_media_type, context
        )

    def _quickly(self, data: Any, accepted_media_type: Any) -> bytes | None:
        """None where the plain encoder must do it: it indents, and writes numbers of any size."""
        if data is None or ";" in (accepted_media_type or ""):
            return None
        try:
            body = orjson.dumps(data, default=_plainly, option=PLAINLY)
        except TypeError:
            return None
        return body.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")


# Times and the like as the framework's encoder writes them.
PLAINLY = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
_encoder = JSONEncoder()


def _plainly(value: Any) -> Any:
    return _encoder.default(value)


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
