"""How an account is tested at its vendor."""

import asyncio

from django.utils.translation import gettext as _

from marketing.core.errors import ProviderFailed
from marketing.delivery import http
from marketing.delivery.providers.base import Account
from marketing.delivery.registry import account_of, vendor
from marketing.policy.connection import ConnectionTest
from marketing.policy.models import ProviderAccount

PROBE_SECONDS = 15


def prepare_test(row: ProviderAccount) -> ConnectionTest:
    """The test of an account; nothing is read of the database when it is carried out."""
    account = account_of(row)
    return lambda: without_secrets(_ask(account), account)


def _ask(account: Account) -> str:
    """What is wrong, in words; empty when the vendor accepts the account."""
    client = vendor(account.provider).client
    try:
        if hasattr(client, "probe"):
            return str(asyncio.run(asyncio.wait_for(client.probe(account), PROBE_SECONDS)))
        request = client.check(account)
    except KeyError as error:
        return _("“%(name)s” is missing.") % {"name": error.args[0]}
    except TimeoutError:
        return _("No answer within %(seconds)d seconds.") % {"seconds": PROBE_SECONDS}
    try:
        answer = http.ask(request)
    except ProviderFailed as error:
        return _("%(address)s cannot be reached: %(cause)s.") % {
            "address": account.base_url,
            "cause": error.details["cause"],
        }
    return str(client.explain_check(answer))


def without_secrets(fault: str, account: Account) -> str:
    """Some vendors repeat in their answer what they were given."""
    for secret in account.credentials.values():
        if len(secret) > 3:
            fault = fault.replace(secret, "…")
    return fault
