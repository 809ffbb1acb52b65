"""The id that ties a request's log lines, audit entries and error message together."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")
