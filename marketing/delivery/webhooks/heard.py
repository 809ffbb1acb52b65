from typing import NamedTuple

from marketing.delivery.providers.base import Inbound
from marketing.policy.models import ProviderAccount


class Heard(NamedTuple):
    """Something a person said, and the account it came to."""

    account: ProviderAccount
    said: Inbound

    @property
    def sender(self) -> str:
        """Her address, or WhatsApp's scoped id where the vendor hides it."""
        return self.said.address or self.said.scoped_id

    @property
    def is_control(self) -> bool:
        """Asked for through the vendor's own switch, not in words."""
        return self.said.opt_out is not None and not self.said.text
