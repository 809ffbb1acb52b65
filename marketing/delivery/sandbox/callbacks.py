"""Posting what is owed: as the vendors do, retried until the receiver takes it."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Iterable, Sequence

import aiohttp

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.ledger import OwedCallback, now_ms
from marketing.delivery.sandbox.posts import Post
from marketing.delivery.sandbox.state import Sandbox
from marketing.delivery.sandbox.vendors import VENDORS

logger = logging.getLogger(__name__)

AT_ONCE = 100
LANES = 16
PAUSE_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 10.0
POSTPONED_MS = 5_000


class CallbackPoster:
    """A loop for each account, side by side; and one that reviews templates."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._posting: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Post until cancelled."""
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as self._session:
            try:
                while True:
                    self._review()
                    for account in self._sandbox.accounts.all():
                        if account.name not in self._posting:
                            task = asyncio.create_task(self._post_for(account.name))
                            self._posting[account.name] = task
                    await asyncio.sleep(PAUSE_SECONDS)
            finally:
                for task in self._posting.values():
                    task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.gather(*self._posting.values())

    def _review(self) -> None:
        """Templates are reviewed whether or not anybody listens."""
        sandbox = self._sandbox
        for template in sandbox.templates.review(now_ms()):
            reviewed = VENDORS[template.provider].reviewed
            owners = (
                account
                for account in sandbox.accounts.all()
                if (account.provider, account.template_owner) == (template.provider, template.owner)
            )
            owner = next(owners, None)
            if reviewed is not None and owner is not None:
                sandbox.ledger.owe(owner, "template", reviewed(template))

    async def _post_for(self, name: str) -> None:
        wait = PAUSE_SECONDS
        while True:
            try:
                wait = await self._post_once(name, wait)
            except Exception:
                logger.exception("callbacks of %s", name)
                wait = LONGEST_WAIT_SECONDS
            await asyncio.sleep(wait)

    async def _post_once(self, name: str, wait: float) -> float:
        """Post a batch of what is due. Returns the seconds until the next, after ``wait``."""
        sandbox = self._sandbox
        account = sandbox.accounts.named(name)
        if account is None or not (account.webhook_url or VENDORS[account.provider].has_own_urls):
            return PAUSE_SECONDS
        owed = sandbox.ledger.owed(account, AT_ONCE)
        if not owed:
            return PAUSE_SECONDS
        taken, left = await self._deliver(account, self._built(account, owed))
        if not taken:
            return min(wait * 2, LONGEST_WAIT_SECONDS)
        sandbox.ledger.settle(account, taken)
        sandbox.ledger.postpone(account, left, POSTPONED_MS)
        await sandbox.database.committed()
        return 0

    def _built(self, account: Account, owed: Sequence[OwedCallback]) -> list[Post]:
        """The posts of these; what cannot be put into one waits without holding up the rest."""
        build = VENDORS[account.provider].posts
        assert build is not None
        try:
            return build(self._sandbox, account, owed)
        except Exception:
            if len(owed) > 1:
                return [post for one in owed for post in self._built(account, [one])]
            logger.exception("callback %s of %s", owed[0].event, account.name)
            self._sandbox.ledger.postpone(account, owed, POSTPONED_MS)
            return []

    async def _deliver(
        self, account: Account, posts: Iterable[Post]
    ) -> tuple[list[OwedCallback], list[OwedCallback]]:
        """(taken by their receiver, not taken)."""
        by_lane = sorted(posts, key=lambda post: post.lane)
        room = asyncio.Semaphore(LANES)
        taken: list[OwedCallback] = []
        left: list[OwedCallback] = []

        async def deliver_lane(lane: list[Post]) -> None:
            async with room:
                for number, post in enumerate(lane):
                    if not await self._post(account, post):
                        left.extend(one for rest in lane[number:] for one in rest.carried)
                        return
                    taken.extend(post.carried)

        await asyncio.gather(
            *(
                deliver_lane(list(lane))
                for _, lane in itertools.groupby(by_lane, key=lambda post: post.lane)
            )
        )
        return taken, left

    async def _post(self, account: Account, post: Post) -> bool:
        url = post.url or account.webhook_url
        if not url:
            return False
        try:
            async with self._session.post(url, data=post.body, headers=post.headers) as response:
                await response.read()
                if response.status >= 300:
                    logger.warning("webhook of %s answered %d", account.name, response.status)
                return response.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.warning("webhook of %s: %s", account.name, type(error).__name__)
            return False
