"""What Twilio's endpoints share: who calls, how an address and a refusal look."""

import base64
import binascii
from collections.abc import Mapping

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.state import SANDBOX

ACCOUNTS = "/2010-04-01/Accounts"
SMS, WHATSAPP = "twilio", "twilio_whatsapp"
PREFIX = "whatsapp:"


class Invalid(Exception):
    """Twilio refuses the request with this code and message."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)

    def answer(self) -> web.Response:
        return error(400, self.code, str(self))


def error(status: int, code: int, message: str, headers: Mapping[str, str] = {}) -> web.Response:
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return web.json_response(body, status=status, headers=dict(headers))


def unauthorised() -> web.Response:
    return error(401, 20003, "Authenticate")


def accounts_of(request: web.Request, sid: str) -> dict[str, Account]:
    """The caller's accounts of this SID by provider: one for SMS, one for WhatsApp, or both."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, token = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    known = request.app[SANDBOX].accounts
    return {
        provider: account
        for provider in (SMS, WHATSAPP)
        if kind == "Basic"
        and user == sid
        and (account := known.identified(provider, sid))
        and account.accepts("auth_token", token)
    }


def address(provider: str, number: str) -> str:
    """A number as Twilio writes it for the channel."""
    return f"{PREFIX}{number}" if provider == WHATSAPP and number.startswith("+") else number
