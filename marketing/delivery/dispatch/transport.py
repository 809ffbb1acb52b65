"""HTTP to the vendors: pooled connections, and a clear line between not sent and not answered."""

from datetime import timedelta
from types import TracebackType
from typing import Self

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import BuilderError, DetailedPyreqwestError, PyreqwestError

from marketing.delivery.providers.base import Answer, Request

# From the first byte of the request to the last of the answer.
HTTP_TIMEOUT = 10.0
CONNECT_TIMEOUT = 5.0
IDLE_SECONDS = 15.0
# pyreqwest names everything before the answer's headers a connection error; only this cause
# means that there was no connection to write to. In other words it would count as unanswered.
NEVER_CONNECTED = "client error (Connect)"


class NotSent(Exception):
    """The vendor was not reached: the request may be made again."""


class NotAnswered(Exception):
    """The request may have arrived: only the vendor knows."""


class Transport:
    """A pool of connections, for one event loop. An async context manager."""

    def __init__(self) -> None:
        self._builder = (
            ClientBuilder()
            .http1_only()
            .no_proxy()
            .follow_redirects(False)
            .connect_timeout(timedelta(seconds=CONNECT_TIMEOUT))
            .timeout(timedelta(seconds=HTTP_TIMEOUT))
            .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
        )
        self._client: Client

    async def __aenter__(self) -> Self:
        self._client = await self._builder.build().__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def ask(self, request: Request) -> Answer:
        """Raises `NotSent` when the request surely did not arrive, else `NotAnswered`."""
        asked = (
            self._client.request(request.method, request.url)
            .headers(request.headers)
            .body_bytes(request.body)
        )
        try:
            response = await asked.build().send()
            return Answer(response.status, response.headers, bytes(await response.bytes()))
        except BuilderError as error:
            raise NotSent("the request could not be made") from error
        except PyreqwestError as error:
            causes = _causes(error)
            if NEVER_CONNECTED in causes:
                raise NotSent(causes[-1]) from error
            raise NotAnswered(causes[-1] if causes else type(error).__name__) from error


def _causes(error: PyreqwestError) -> list[str]:
    """What led to the error, the root last."""
    if not isinstance(error, DetailedPyreqwestError) or not error.details:
        return []
    return [cause["message"] for cause in error.details["causes"] or ()]
