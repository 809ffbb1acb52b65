"""One request at a time, for work that is not a campaign: templates, look-ups, tests."""

import asyncio

import aiohttp

from marketing.core.errors import ProviderFailed
from marketing.delivery.providers.base import Answer, Request

TIMEOUT = aiohttp.ClientTimeout(total=10)


def ask(request: Request) -> Answer:
    """The vendor's answer. Raises `ProviderFailed` when there is none."""
    try:
        return asyncio.run(_ask(request))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ProviderFailed(details={"cause": type(error).__name__}) from error


async def _ask(request: Request) -> Answer:
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT) as session,
        session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
        ) as response,
    ):
        return Answer(response.status, response.headers, await response.read())
