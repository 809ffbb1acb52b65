"""How a vendor's account is described: which values it has and what each may be."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.models import Channel
from marketing.policy.models import Provider

Text = str | Promise
CALLBACKS = _(
    "Enter this address at the vendor, so that deliveries, replies and opt-outs reach you."
)


@dataclass(frozen=True)
class AccountField:
    """One value of an account. `column` is Module 11's name for it on the default account.

    A value that is given must be one of `choices` and match the whole `pattern`, where there
    are any.
    """

    key: str
    label: Text
    is_required: bool = True
    column: str = ""
    help_text: Text = ""
    choices: tuple[tuple[str, Text], ...] = ()
    pattern: str = ""


@dataclass(frozen=True)
class Vendor:
    """`spelling` is Module 11's name of the vendor, where it is not ours.

    `base_url` is empty where the sender's `host` is what is called. One of the sender's
    `any_of` must be given. `sends_own_copy`: the vendor knows the words of an SMS by an id of
    its own, and is told the variables only. `callbacks` says what to do with the address that
    the vendor is to call; empty: it never calls.
    """

    provider: Provider
    channel: Channel
    base_url: str
    credentials: tuple[AccountField, ...]
    sender: tuple[AccountField, ...]
    spelling: str = ""
    any_of: tuple[str, ...] = ()
    sends_own_copy: bool = False
    callbacks: Text = CALLBACKS

    @property
    def name(self) -> str:
        """What the API calls it, among the vendors of its channel."""
        return self.spelling or self.provider.value

    def field(self, column: str) -> tuple[str, str] | None:
        """("credentials" or "sender", key) of a column of Module 11's; None when it has none."""
        for group, fields in (("credentials", self.credentials), ("sender", self.sender)):
            for field in fields:
                if field.column == column:
                    return group, field.key
        return None
