"""Everything a request handler needs, in one place."""

from dataclasses import dataclass, field

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from marketing.delivery.sandbox.accounts import Accounts
from marketing.delivery.sandbox.database import Database
from marketing.delivery.sandbox.faults import FaultPlan
from marketing.delivery.sandbox.ledger import Ledger
from marketing.delivery.sandbox.message_templates import Templates
from marketing.delivery.sandbox.settings import Settings


@dataclass
class Sandbox:
    """The running server's state; `signing_key` signs SendGrid's events."""

    settings: Settings
    database: Database
    accounts: Accounts
    templates: Templates
    ledger: Ledger
    signing_key: ec.EllipticCurvePrivateKey
    faults: FaultPlan = field(default_factory=FaultPlan)
    limited_once: set[tuple[str, str]] = field(default_factory=set)


SANDBOX = web.AppKey("sandbox", Sandbox)
