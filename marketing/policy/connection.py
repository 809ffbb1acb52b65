"""Testing an account at its vendor. How a vendor is asked is known to delivery, which says so here.

A test has two steps, because nothing is asked over the network inside a transaction: it is
prepared from the account's row, and carried out afterwards.
"""

from collections.abc import Callable

from marketing.policy.models import ProviderAccount

# Asks the vendor; returns what is wrong in words, empty when the account works.
ConnectionTest = Callable[[], str]
Prepare = Callable[[ProviderAccount], ConnectionTest]

_prepare: list[Prepare] = []


def register_test(prepare: Prepare) -> None:
    """Called once, while apps are loaded."""
    _prepare[:] = [prepare]


def prepare_test(account: ProviderAccount) -> ConnectionTest:
    """The test of the account, to be carried out outside of any transaction."""
    (prepare,) = _prepare
    return prepare(account)
