"""Everything a request handler needs, in one place."""

from dataclasses import dataclass, field

from aiohttp import web

from marketing.delivery.sandbox.accounts import Accounts
from marketing.delivery.sandbox.database import Database
from marketing.delivery.sandbox.faults import FaultPlan
from marketing.delivery.sandbox.keys import Keys
from marketing.delivery.sandbox.ledger import Ledger
from marketing.delivery.sandbox.message_templates import Templates
from marketing.delivery.sandbox.settings import Settings


@dataclass
class Sandbox:
    """The running server's state. ``url`` is where it is reached, without a slash at the end."""

    settings: Settings
    host: str
    url: str
    database: Database
    accounts: Accounts
    templates: Templates
    ledger: Ledger
    faults: FaultPlan
    keys: Keys
    smtp_port: int = 0
    limited_once: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def opened(cls, settings: Settings, host: str, port: int) -> "Sandbox":
        database = Database(settings.data_dir / "sandbox.sqlite3")
        return cls(
            settings=settings,
            host=host,
            url=settings.url or f"http://{host}:{port}",
            database=database,
            accounts=Accounts(database),
            templates=Templates(database),
            ledger=Ledger(database),
            faults=FaultPlan(database),
            keys=Keys(settings.data_dir),
        )


SANDBOX = web.AppKey("sandbox", Sandbox)
