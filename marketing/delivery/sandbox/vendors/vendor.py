"""What the rest of the sandbox must know of a vendor."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.ledger import OwedCallback
from marketing.delivery.sandbox.message_templates import Template
from marketing.delivery.sandbox.posts import Post
from marketing.delivery.sandbox.state import Sandbox


@dataclass(frozen=True)
class Vendor:
    """``shown(content, variables)`` is a message as a phone shows it.

    What is None the vendor has not: ``posts`` makes callbacks of what is owed, ``inbound`` takes
    what a person wrote, ``preference`` the app's own control to stop marketing, ``reviewed`` tells
    of a template's review, ``connected`` answers a new or changed account, ``public`` is what its
    settings page shows. ``has_own_urls``: callbacks go where each message asked for.
    """

    shown: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
    posts: Callable[[Sandbox, Account, Sequence[OwedCallback]], list[Post]] | None = None
    inbound: Callable[[Sandbox, Account, str, str], None] | None = None
    preference: Callable[[Sandbox, Account, str, str], None] | None = None
    reviewed: Callable[[Template], dict[str, Any]] | None = None
    connected: Callable[[Sandbox, Account], None] | None = None
    public: Callable[[Sandbox], dict[str, Any]] | None = None
    has_own_urls: bool = False
