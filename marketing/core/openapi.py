"""The schema of the envelope: what views return is described as it travels."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

ERROR = {
    "type": "object",
    "required": ["success", "error"],
    "properties": {
        "success": {"type": "boolean", "const": False},
        "error": {
            "type": "object",
            "required": ["code", "name", "message", "fields", "details", "requestId"],
            "properties": {
                "code": {"type": "string", "examples": ["MARKETING_400"]},
                "name": {"type": "string"},
                "message": {"type": "string"},
                "fields": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
                "details": {"type": "object", "additionalProperties": {}},
                "requestId": {"type": "string"},
            },
        },
    },
}
PAGE = {
    "type": "object",
    "properties": {
        "next": {"type": ["string", "null"]},
        "prev": {"type": ["string", "null"]},
        "size": {"type": "integer"},
    },
}


class EnvelopeSchema(AutoSchema):
    """Wrap every 2xx JSON body in the success envelope and document the failures."""

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: Any = None,
        direction: str = "response",
    ) -> dict[str, Any]:
        response: dict[str, Any] = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, media_types, direction
        )
        if not str(status_code).startswith("2"):
            return response
        for body in response.get("content", {}).values():
            properties: dict[str, Any] = {
                "success": {"type": "boolean", "const": True},
                "data": body.get("schema", {}),
            }
            if properties["data"].get("type") == "array":
                properties["page"] = PAGE
            body["schema"] = {
                "type": "object",
                "required": ["success", "data"],
                "properties": properties,
            }
        return response

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        failures = {"400": "Invalid input", "401": "Not authenticated", "403": "Not allowed"}
        if "{" in self.path:
            failures["404"] = "Not found"
        if self.method != "GET":
            failures["409"] = "The state of things does not allow it"
        failures |= getattr(self.view, "failures", {})
        for status, description in failures.items():
            content = {"application/json": {"schema": ERROR}}
            bodies.setdefault(status, {"description": description, "content": content})
        return bodies


class ActorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "marketing.core.drf.authentication.ActorAuthentication"
    name = ["session", "apiKey"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "Api-Key <prefix>.<secret>",
            },
        ]
