"""Posting what is owed: batched as the vendors do, retried until the receiver takes it."""

import asyncio
import contextlib
import logging

import aiohttp

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.state import Sandbox
from marketing.delivery.sandbox.vendors import meta, msg91, sendgrid

logger = logging.getLogger(__name__)

CALLBACKS = {"meta": meta.callback, "msg91": msg91.callback, "sendgrid": sendgrid.callback}
PER_POST = 100
PAUSE_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 10.0


class CallbackPoster:
    """One loop for all accounts; each account's posts are in order, accounts side by side."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._posting: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Post until cancelled."""
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as self._session:
            try:
                while True:
                    for account in self._sandbox.accounts.all():
                        if account.name not in self._posting and account.webhook_url:
                            task = asyncio.create_task(self._post_for(account.name))
                            self._posting[account.name] = task
                    await asyncio.sleep(PAUSE_SECONDS * 4)
            finally:
                for task in self._posting.values():
                    task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.gather(*self._posting.values())

    async def _post_for(self, name: str) -> None:
        wait = PAUSE_SECONDS
        while True:
            account = self._sandbox.accounts.named(name)
            owed = self._sandbox.ledger.owed(account, PER_POST) if account else []
            if account is None or not owed:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            headers, body = CALLBACKS[account.provider](self._sandbox, account, owed)
            if await self._post(account, headers, body):
                self._sandbox.ledger.settle(account, owed)
                await self._sandbox.database.committed()
                wait = PAUSE_SECONDS
            else:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _post(self, account: Account, headers: dict[str, str], body: bytes) -> bool:
        try:
            async with self._session.post(
                account.webhook_url, data=body, headers=headers
            ) as response:
                await response.read()
                if response.status >= 300:
                    logger.warning("webhook of %s answered %d", account.name, response.status)
                return response.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.warning("webhook of %s: %s", account.name, type(error).__name__)
            return False
