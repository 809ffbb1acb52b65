"""One request at a time, for work that is not a campaign: templates, look-ups, tests."""

import asyncio

import aiohttp

from marketing.core.errors import ProviderFailed
from marketing.delivery.providers.base import Request

TIMEOUT = aiohttp.ClientTimeout(total=10)


def post(request: Request) -> tuple[int, bytes]:
    """(status, body) of the answer. Raises `ProviderFailed` when there is none."""
    try:
        return asyncio.run(_post(request))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ProviderFailed(details={"cause": type(error).__name__}) from error


async def _post(request: Request) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT) as session,
        session.post(request.url, data=request.body, headers=request.headers) as response,
    ):
        return response.status, await response.read()
