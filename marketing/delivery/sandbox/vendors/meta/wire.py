"""What all of Meta's endpoints share: who calls, and how a refusal looks."""

import secrets
from collections.abc import Mapping

from aiohttp import web

from marketing.delivery.sandbox.accounts import Account
from marketing.delivery.sandbox.state import Sandbox

VERSION = r"/{version:v\d+\.\d+}"


class Invalid(Exception):
    """Meta refuses the request with this code and message."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(message)

    def answer(self) -> web.Response:
        return error(self.status, self.code, str(self))


def error(status: int, code: int, message: str, headers: Mapping[str, str] = {}) -> web.Response:
    """Meta's error body; what matters in it is the code."""
    body = {
        "error": {
            "message": f"(#{code}) {message}",
            "type": "OAuthException",
            "code": code,
            "error_data": {"messaging_product": "whatsapp", "details": message},
            "fbtrace_id": secrets.token_hex(6),
        }
    }
    return web.json_response(body, status=status, headers=dict(headers))


def unauthorised() -> web.Response:
    return error(401, 190, "Invalid OAuth access token.")


def not_found(asked: str) -> web.Response:
    return error(400, 100, f"Object with ID '{asked}' does not exist or cannot be loaded")


def number_account(sandbox: Sandbox, request: web.Request, number_id: str) -> Account | None:
    """The account of a phone number, if the caller may use it."""
    account = sandbox.accounts.identified("meta", number_id)
    return account if account and is_authorised(request, account) else None


def business_account(sandbox: Sandbox, request: web.Request, waba_id: str) -> Account | None:
    """An account of a WhatsApp business account, if the caller may use it."""
    for account in sandbox.accounts.all():
        if account.provider == "meta" and account.credentials["waba_id"] == waba_id:
            return account if is_authorised(request, account) else None
    return None


def is_authorised(request: web.Request, account: Account) -> bool:
    given = request.headers.get("Authorization", "")
    return given.startswith("Bearer ") and account.accepts("access_token", given[7:])
